/** How a command ended, for scripts and as a check plug-in; docs/RUNBOOK.md has the same table. */
export const EXIT = {
  /** Done; `status`: the cluster is ok; `doctor`: all is well. */
  ok: 0,
  /** Not done; `status`: the cluster is degraded; `doctor`: there are warnings. */
  failed: 1,
  /** `status`: the cluster is critical; `doctor`: there are failures. */
  critical: 2,
  /** Wrong command line, or a change that was not confirmed. */
  usage: 3,
  /** None of the conductors that were asked answers, or none gives access. */
  noAnswer: 4,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

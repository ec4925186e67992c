import type { HealthReason, HealthReport } from '../../health/health-report.js';
import type { LocalNode } from './local-node.js';

/** What the conductor itself sees of the local node. */
type PolledNode = Pick<LocalNode, 'state' | 'branch' | 'commits' | 'notAsking'>;

/**
 * All that is known about the local node's health: the last check, and later observations, because the conductor polls
 * the node more often than health is checked. Null before the first check.
 */
export function withNodePoll(report: HealthReport | null, node: PolledNode): HealthReport | null {
  const found = seenByPolls(node);
  if (report === null || found === undefined) return report;
  return {
    ...report,
    healthy: false,
    status: 'unhealthy',
    reasons: [found, ...report.reasons],
    summary: found.message,
  };
}

function seenByPolls({ state, branch, commits, notAsking }: PolledNode): HealthReason | undefined {
  const found = { check: 'node-poll', severity: 'unhealthy' } as const;
  if (!state.reachable && state.asked) return { ...found, code: 'node-unreachable', message: state.reason };
  if (notAsking !== undefined) return { ...found, code: 'conductor-disabled', message: notAsking };
  const { otherBranch } = branch;
  if (otherBranch !== undefined) {
    const message = `the execution client is on another branch: ${otherBranch}`;
    return { ...found, code: 'other-branch', message };
  }
  const refusal = state.sequencerActive ? commits.reasonAt(performance.now()) : undefined;
  if (refusal !== undefined) {
    const message = `the blocks of the sequencer are refused: ${refusal}`;
    return { ...found, code: 'commits-refused', message };
  }
  return undefined;
}

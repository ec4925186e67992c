import { remedyOf, type DoctorCode } from './remedies.js';

/** The thing that is checked; a stable name for programs. */
export type CheckName =
  | 'configuration'
  | 'node-version'
  | 'executable'
  | 'ports'
  | 'directory'
  | 'disk-space'
  | 'disk-speed'
  | 'peers'
  | 'timing'
  | 'op-node'
  | 'sequencer'
  | 'execution-client'
  | 'chain-id'
  | 'heads'
  | 'verdict'
  | 'clocks'
  | 'versions';

/** `failure`: Baton would not run, or not do its work. `warning`: it would, but something should be repaired. */
export type Level = 'ok' | 'warning' | 'failure';

/** The result of one check. */
export interface Finding {
  check: CheckName;
  level: Level;
  /** Stable name of the problem, in docs/ERRORS.md; null if all is well. */
  code: string | null;
  /** What was seen, with names and numbers. */
  text: string;
  /** What to do about it, in full sentences; null if all is well. */
  remedy: string | null;
}

export const ok = (check: CheckName, text: string): Finding => ({
  ...{ check, level: 'ok', text },
  ...{ code: null, remedy: null },
});

export const warning = (check: CheckName, code: DoctorCode, text: string): Finding => ({
  ...{ check, level: 'warning', code, text },
  remedy: remedyOf(code),
});

export const failure = (check: CheckName, code: DoctorCode, text: string): Finding => ({
  ...{ check, level: 'failure', code, text },
  remedy: remedyOf(code),
});

/** The worst level of all findings. */
export function worstOf(findings: readonly Finding[]): Level {
  const has = (level: Level): boolean => findings.some((finding) => finding.level === level);
  if (has('failure')) return 'failure';
  return has('warning') ? 'warning' : 'ok';
}

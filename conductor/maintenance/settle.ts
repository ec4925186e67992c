import type { LoggedPause, Pause } from '../control/switches.js';

/** A node's own state of its pause. */
export interface OwnPause {
  /** Null when it is not paused by itself. */
  pause: Readonly<Pause> | null;
  /** Ids of pauses that ended here. */
  resumed: readonly string[];
}

/** The state in the log, as far as this node has applied it. */
export interface PauseInLog {
  member: LoggedPause | undefined;
  appliedIndex: number;
  /** Where its own pause is in the journal, if it is there. */
  recordedAt: number | undefined;
}

/** The next step to make node and log agree. */
export type Settlement =
  | { type: 'none' }
  /** Its time has passed, or it was resumed elsewhere. */
  | { type: 'end'; reason: 'time-over' | 'resumed-elsewhere' }
  /** The log has its own pause. */
  | { type: 'note'; logIndex: number }
  /** The log has a pause of this member, which replaces it. */
  | { type: 'adopt'; pause: LoggedPause }
  | { type: 'publishPause' }
  | { type: 'publishResume'; pauseId: string };

const NONE: Settlement = { type: 'none' };

/**
 * Merges a pause that was set without the log with one that was recorded without the node (docs/FORMATS.md, "How pauses
 * merge"). A node's own pause ends only by a resume here, by its time, or by a record that ended it after it was itself
 * recorded: the author of that record could see it.
 */
export function settle({ pause, resumed }: OwnPause, log: PauseInLog, nowMs: number): Settlement {
  const { member } = log;
  const isOver = ({ untilMs }: { untilMs?: number | undefined }): boolean => (untilMs ?? Infinity) <= nowMs;
  if (pause && isOver(pause)) return { type: 'end', reason: 'time-over' };
  if (pause) return settlePause(pause, log);
  // The leader records the end of expired pauses.
  if (!member || isOver(member)) return NONE;
  return resumed.includes(member.id)
    ? { type: 'publishResume', pauseId: member.id }
    : { type: 'adopt', pause: member };
}

function settlePause(pause: Readonly<Pause>, { member, appliedIndex, recordedAt }: PauseInLog): Settlement {
  // Set by the flag, by founding or by doubt: concerns this node alone.
  if (pause.id === undefined) return NONE;
  if (pause.logIndex === undefined) {
    const logIndex = member?.id === pause.id ? member.logIndex : recordedAt;
    return logIndex === undefined ? { type: 'publishPause' } : { type: 'note', logIndex };
  }
  // After a restart, fewer entries may be applied than before it.
  if (appliedIndex < pause.logIndex || member?.id === pause.id) return NONE;
  return member ? { type: 'adopt', pause: member } : { type: 'end', reason: 'resumed-elsewhere' };
}

import type { LoggedPause, Pause } from '../control/switches.js';

/** What a node has of its own pause. */
export interface OwnPause {
  /** Null when it is not paused by itself. */
  pause: Readonly<Pause> | null;
  /** Ids of pauses that ended here. */
  resumed: readonly string[];
}

/** What the log has of it, as far as this node has applied it. */
export interface PauseInLog {
  member: LoggedPause | undefined;
  appliedIndex: number;
  /** Where its own pause is in the journal, if it is there. */
  recordedAt: number | undefined;
}

/** The next thing to do so that node and log agree. */
export type Settlement =
  | { type: 'none' }
  /** Its time is over, or it was resumed elsewhere. */
  | { type: 'end'; reason: 'time-over' | 'resumed-elsewhere' }
  /** The log has its own pause. */
  | { type: 'note'; logIndex: number }
  /** The log has a pause of this member that takes over. */
  | { type: 'adopt'; pause: LoggedPause }
  | { type: 'publishPause' }
  | { type: 'publishResume'; pauseId: string };

const NONE: Settlement = { type: 'none' };

/**
 * How a pause that was set without the log, and one that was recorded without the node, become one (docs/FORMATS.md, "How
 * pauses merge"). An own pause ends only by a resume here, by its time, or by a record that ended it after it was recorded
 * itself: whoever wrote that record could see it.
 */
export function settle({ pause, resumed }: OwnPause, log: PauseInLog, nowMs: number): Settlement {
  const { member } = log;
  const isOver = ({ untilMs }: { untilMs?: number | undefined }): boolean => (untilMs ?? Infinity) <= nowMs;
  if (pause && isOver(pause)) return { type: 'end', reason: 'time-over' };
  if (pause) return settlePause(pause, log);
  // The leader ends in the log what is over.
  if (!member || isOver(member)) return NONE;
  return resumed.includes(member.id)
    ? { type: 'publishResume', pauseId: member.id }
    : { type: 'adopt', pause: member };
}

function settlePause(pause: Readonly<Pause>, { member, appliedIndex, recordedAt }: PauseInLog): Settlement {
  // By the flag, a foundation or doubt: the concern of this node alone.
  if (pause.id === undefined) return NONE;
  if (pause.logIndex === undefined) {
    const logIndex = member?.id === pause.id ? member.logIndex : recordedAt;
    return logIndex === undefined ? { type: 'publishPause' } : { type: 'note', logIndex };
  }
  // After a restart, less may be applied than before it.
  if (appliedIndex < pause.logIndex || member?.id === pause.id) return NONE;
  return member ? { type: 'adopt', pause: member } : { type: 'end', reason: 'resumed-elsewhere' };
}

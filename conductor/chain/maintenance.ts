import type { RecordChange, RecordWho } from './record.js';

/** A decision of an operator that is in force, as the log has it. */
export interface RecordedDecision {
  /** Of the record that took it. */
  id: string;
  logIndex: number;
  /** Wall clock of the proposer in milliseconds. */
  sinceMs: number;
  who: RecordWho;
}

export interface RecordedPause extends RecordedDecision {
  /** When it ends by itself, by each node's wall clock; null: it does not. */
  untilMs: number | null;
}

/** What operators have decided about the control of sequencers. */
export interface Maintenance {
  /** Of the whole cluster. */
  cluster: RecordedPause | null;
  /** Of single members, by id. */
  members: Readonly<Record<string, RecordedPause>>;
  /** No sequencer is to run anywhere. */
  halt: RecordedDecision | null;
}

export const NO_MAINTENANCE: Maintenance = { cluster: null, members: {}, halt: null };

/** More paused members than any cluster has. */
const PAUSED_MEMBERS_MAX = 64;

/**
 * What a change makes of the decisions in force; the same object when it changes nothing. Expiry is left to those who
 * act: a pause whose time is over stays here until a record ends it.
 */
export function afterChange(before: Maintenance, change: RecordChange, by: RecordedDecision): Maintenance {
  switch (change.type) {
    case 'pause':
      return paused(before, change.member, { ...by, untilMs: change.untilMs });
    case 'resume':
      return resumed(before, change.member, change.pauseId);
    case 'halt':
      return before.halt ? before : { ...before, halt: by };
    case 'endHalt':
      return before.halt ? { ...before, halt: null } : before;
  }
}

/** The recorded pause of a member, or of the whole cluster (null). */
export function pauseOf({ cluster, members }: Maintenance, member: string | null): RecordedPause | null {
  return member === null ? cluster : (members[member] ?? null);
}

/** Nobody shortens the pause of another: of two, the one that lasts longer counts, and of equals the first. */
function paused(before: Maintenance, member: string | null, pause: RecordedPause): Maintenance {
  const old = pauseOf(before, member);
  if (old && (old.untilMs ?? Infinity) >= (pause.untilMs ?? Infinity)) return before;
  if (member === null) return { ...before, cluster: pause };
  if (!old && Object.keys(before.members).length >= PAUSED_MEMBERS_MAX) return before;
  return { ...before, members: { ...before.members, [member]: pause } };
}

function resumed(before: Maintenance, member: string | null, pauseId: string | null): Maintenance {
  const old = pauseOf(before, member);
  if (!old || (pauseId !== null && old.id !== pauseId)) return before;
  if (member === null) return { ...before, cluster: null };
  return { ...before, members: without(before.members, member) };
}

function without(members: Maintenance['members'], member: string): Maintenance['members'] {
  return Object.fromEntries(Object.entries(members).filter(([id]) => id !== member));
}

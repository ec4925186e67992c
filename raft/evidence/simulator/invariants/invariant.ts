import type { CoreContext } from '../../../core/context.js';
import type { Configuration, Input, Member, NodeId, Output, Persist } from '../../../core/types.js';
import type { Ledger, LedgerEntry, Voter } from '../ledger.js';
import type { ClientRequests } from '../client-requests.js';
import type { Pointers, Process, SimulatedNode } from '../node.js';
import type { LogChange } from '../observed-log.js';
import type { SimulationOptions } from '../options.js';

/** One step of one core, after it was done and before its outputs are carried out. */
export interface Step {
  node: SimulatedNode;
  process: Process;
  ctx: CoreContext;
  input: Input;
  outputs: readonly Output[];
  /** The node before the step. */
  before: Pointers;
  /** How the step changed the node's log. */
  change: LogChange | null;
  /** The ledger's end before the step. */
  committedBefore: number;
}

/** One property that must hold at all times. It sees every event and throws a Violation when it does not hold. */
export interface Invariant {
  stepped?: (this: void, step: Step) => void;
  /** A write became durable. */
  written?(node: SimulatedNode, write: Persist): void;
  /** A process began, nothing happened in it yet. */
  started?(node: SimulatedNode): void;
  /** A process died; what it had not written is lost. */
  crashed?(node: SimulatedNode): void;
  /** The application of a node took one entry. */
  applied?(node: SimulatedNode, index: number, data: Uint8Array): void;
}

/** What an invariant may look at beside the event itself. */
export interface Evidence {
  readonly ledger: Ledger;
  readonly nodes: readonly SimulatedNode[];
  readonly requests: ClientRequests;
  readonly node: (id: NodeId) => SimulatedNode;
  /** What was drawn from the seed. */
  readonly options: SimulationOptions;
  /** True time. */
  readonly nowMs: () => number;
}

// The core's own quorum functions are under test, so the checks have their own.

/** The sets of voters of which each must supply a majority: one, or two while a replacement is under way. */
export function quorumsOf({ members, joint }: Configuration): Member[][] {
  const next = members.filter((member) => member.voter);
  return joint ? [next, members.filter((member) => joint.voters.includes(member.id))] : [next];
}

/** Everybody with a vote, once. */
export const votersOf = (configuration: Configuration): Member[] => [
  ...new Set(quorumsOf(configuration).flat()),
];

/** Asked in every step of a leader, hence without a copy of the voters. */
export function hasVote({ members, joint }: Configuration, id: NodeId): boolean {
  for (const member of members) if (member.id === id && member.voter) return true;
  return joint?.voters.includes(id) === true;
}

export const isQuorum = <T>(sets: readonly (readonly T[])[], agrees: (voter: T) => boolean): boolean =>
  sets.every((voters) => isMajority(voters, agrees));

export function isMajority<T>(voters: readonly T[], agrees: (voter: T) => boolean): boolean {
  let count = 0;
  for (const voter of voters) if (agrees(voter)) count += 1;
  return 2 * count > voters.length;
}

/** True when the node still has the disk of that voter, and no fault took what was on it. */
export const hasDiskOf = (node: SimulatedNode, { incarnation }: Voter): boolean =>
  node.incarnation === incarnation && !node.diskIsLost;

/**
 * True when a majority of those who committed the entry at `index` can not lose it in a crash. A disk that a fault
 * destroyed counts as if it had it: no more are destroyed than a majority can spare (World.mayLoseDisk), but whoever
 * is left must have it.
 */
export function isKeptByMajority(
  { node: find }: Pick<Evidence, 'node'>,
  { index, chainHash, quorums }: LedgerEntry,
): boolean {
  let intact = 0;
  const kept = isQuorum(quorums, (voter) => {
    const node = find(voter.id);
    if (!hasDiskOf(node, voter)) return true;
    const keeps = node.disk.snapshotIndex > index || node.disk.hashAt(index) === chainHash;
    if (keeps) intact += 1;
    return keeps;
  });
  return kept && intact > 0;
}

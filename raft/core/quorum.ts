import type { Configuration, NodeId } from './configuration.js';

/** Sets of voters that must each supply a majority: one, or two in a joint configuration (Raft thesis §4.3). */
export type VoterSets = readonly (readonly NodeId[])[];

export function voterSets(configuration: Configuration): VoterSets {
  const voters = configuration.members.filter((member) => member.voter).map((member) => member.id);
  return configuration.joint ? [voters, configuration.joint.voters] : [voters];
}

const majorityOf = (voters: readonly NodeId[]): number => Math.floor(voters.length / 2) + 1;

/** True when a majority of every set agrees. An empty set never agrees. */
export function hasQuorum(sets: VoterSets, agrees: (id: NodeId) => boolean): boolean {
  return sets.every((voters) => voters.filter(agrees).length >= majorityOf(voters));
}

/** True when so many refuse that no quorum can form. */
export function isLost(sets: VoterSets, refuses: (id: NodeId) => boolean): boolean {
  return !hasQuorum(sets, (id) => !refuses(id));
}

/** The greatest value that a majority of every set has reached; -Infinity when a set is empty. */
export function quorumValue(sets: VoterSets, valueOf: (id: NodeId) => number): number {
  let result = Infinity;
  for (const voters of sets) result = Math.min(result, majorityValue(voters, valueOf));
  return result;
}

/** Counts, because every step calls this and sorting a copy takes several times longer. */
function majorityValue(voters: readonly NodeId[], valueOf: (id: NodeId) => number): number {
  let result = -Infinity;
  for (const voter of voters) {
    const value = valueOf(voter);
    if (value <= result) continue;
    let reachedBy = 0;
    for (const other of voters) if (valueOf(other) >= value) reachedBy += 1;
    if (reachedBy >= majorityOf(voters)) result = value;
  }
  return result;
}

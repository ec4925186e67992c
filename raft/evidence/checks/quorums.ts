import type { Configuration, Member, NodeId } from '../../core/configuration.js';

// The core's own quorum functions are under test, so the checks have their own.

/** The sets of voters that must each supply a majority: one, or two during a replacement. */
export function quorumsOf({ members, joint }: Configuration): Member[][] {
  const next = members.filter((member) => member.voter);
  return joint ? [next, members.filter((member) => joint.voters.includes(member.id))] : [next];
}

/** Every voter, once. */
export const votersOf = (configuration: Configuration): Member[] => [
  ...new Set(quorumsOf(configuration).flat()),
];

/** Called in every step of a leader, so it does not copy the voters. */
export function hasVote({ members, joint }: Configuration, id: NodeId): boolean {
  for (const member of members) if (member.id === id && member.voter) return true;
  return joint?.voters.includes(id) === true;
}

export const isQuorum = <T>(sets: readonly (readonly T[])[], agrees: (voter: T) => boolean): boolean =>
  sets.every((voters) => isMajority(voters, agrees));

function isMajority<T>(voters: readonly T[], agrees: (voter: T) => boolean): boolean {
  let count = 0;
  for (const voter of voters) if (agrees(voter)) count += 1;
  return 2 * count > voters.length;
}

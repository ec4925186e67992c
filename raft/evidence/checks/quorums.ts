import type { Configuration, Member, NodeId } from '../../core/configuration.js';

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

function isMajority<T>(voters: readonly T[], agrees: (voter: T) => boolean): boolean {
  let count = 0;
  for (const voter of voters) if (agrees(voter)) count += 1;
  return 2 * count > voters.length;
}

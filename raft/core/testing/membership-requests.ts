import type { MembershipChange } from '../configuration-change.js';
import { CoreHarness } from './core-harness.js';
import { configurationOf, TestLog } from './test-log.js';

/** The first of these voters leads, and every voter has acknowledged its first entry. */
export function leaderOf(voters: string[], others: string[] = []): CoreHarness {
  const node = CoreHarness.leader(new TestLog(configurationOf(voters, others)), 2);
  for (const from of voters.slice(1)) node.acknowledge(from);
  return node;
}

/** Asks the node for a change. @returns the id of the request */
export const change = (
  node: CoreHarness,
  wish: MembershipChange,
  expectedIndex?: number,
  force = false,
): number => node.ask((id) => ({ type: 'changeMembership', id, change: wish, expectedIndex, force }));

/** The request to add a voter. */
export const add = (id: string, incarnation = `disk of ${id}`): MembershipChange => ({
  type: 'addVoter',
  id,
  address: `${id}:1`,
  incarnation,
});

/** Ids of the voters in the configuration in force on the node. */
export const votersBy = (node: CoreHarness): string[] =>
  node.status.configuration.configuration.members.filter(({ voter }) => voter).map(({ id }) => id);

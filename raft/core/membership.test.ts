import { describe, expect, it } from '@jest/globals';
import { configurationOf, member, TestLog } from './testing/test-log.js';
import { heartbeat, preVoteGranted, TestNode, timing, voteGranted } from './testing/test-node.js';
import type { MembershipChange } from './types.js';

const leader = (voters: string[], others: string[] = []): TestNode => {
  const node = TestNode.leader(new TestLog(configurationOf(voters, others)), 2);
  for (const from of voters.slice(1)) node.acknowledge(from);
  return node;
};

const change = (node: TestNode, wish: MembershipChange, expectedIndex?: number): number =>
  node.ask((id) => ({ type: 'changeMembership', id, change: wish, expectedIndex }));

const add = (id: string, incarnation = `disk of ${id}`): MembershipChange => ({
  type: 'addVoter',
  id,
  address: `${id}:1`,
  incarnation,
});
const voters = (node: TestNode): string[] =>
  node.status.configuration.configuration.members.filter(({ voter }) => voter).map(({ id }) => id);
const matchOf = (node: TestNode, id: string) => node.status.peers.find((peer) => peer.id === id)?.matchIndex;

describe('a change of membership', () => {
  it('is in force from the moment it is appended, and done when the new majority has it', () => {
    const node = leader(['a', 'b', 'c']);
    const id = change(node, add('d'));
    expect(voters(node)).toEqual(['a', 'b', 'c', 'd']);
    node.acknowledge('b');
    expect(node.status.commitIndex).toBe(2);
    node.acknowledge('d');
    expect(node.answer(id)).toEqual({ outcome: 'done', index: 3, term: 2 });
  });

  it('waits for the one before', () => {
    const node = leader(['a', 'b', 'c']);
    change(node, add('d'));
    expect(node.answer(change(node, { type: 'remove', id: 'c' }))).toMatchObject({
      reason: 'change-in-progress',
    });
    for (const from of 'bc') node.acknowledge(from);
    expect(node.answer(change(node, { type: 'remove', id: 'c' }))).toBeUndefined();
  });

  it('waits for a commit in the term (Ongaro 2015, bug 33)', () => {
    const node = TestNode.leader(new TestLog(configurationOf(['a', 'b', 'c'])), 2);
    expect(node.answer(change(node, add('d')))).toMatchObject({ reason: 'no-commit-in-term' });
  });

  it('compares the configuration that the caller has seen', () => {
    const node = leader(['a', 'b', 'c']);
    expect(node.answer(change(node, add('d'), 7))).toMatchObject({ reason: 'configuration-changed' });
    expect(node.answer(change(node, add('d'), 1))).toBeUndefined();
  });

  it('that changes nothing is done where it was done', () => {
    const node = leader(['a', 'b', 'c']);
    expect(node.answer(change(node, add('b')))).toEqual({ outcome: 'done', index: 1, term: 1 });
    expect(node.answer(change(node, { type: 'remove', id: 'x' }))).toMatchObject({ outcome: 'done' });
    expect(node.status.lastIndex).toBe(2);
  });

  it('never takes the last voter', () => {
    const node = TestNode.leader(new TestLog(configurationOf(['a'], ['b'])), 2);
    expect(node.answer(change(node, { type: 'remove', id: 'a' }))).toMatchObject({ reason: 'last-voter' });
    expect(node.answer(change(node, { type: 'demote', id: 'a' }))).toMatchObject({ reason: 'last-voter' });
  });

  it('does not count what another disk under the same name has acknowledged (bug 40)', () => {
    const node = leader(['a', 'b', 'c'], ['n']);
    node.acknowledge('n');
    expect(matchOf(node, 'n')).toBe(2);
    change(node, { type: 'addNonvoter', id: 'n', address: 'n:1', incarnation: 'new disk' });
    expect(matchOf(node, 'n')).toBe(0);
  });

  it('serves a removed member until the removal is committed, so that it learns of it (bug 39)', () => {
    const node = leader(['a', 'b', 'c']);
    change(node, { type: 'remove', id: 'c' });
    expect(node.sent('append').map(({ to }) => to)).toContain('c');
    node.acknowledge('c');
    node.acknowledge('b');
    expect(node.status.peers.map(({ id }) => id)).toEqual(['b']);
    expect(node.sent('heartbeat')).toEqual(
      expect.arrayContaining([expect.objectContaining({ to: 'c', commit: 3 })]),
    );
  });
});

describe('a non-voter', () => {
  it('is replicated to, and counts for nothing', () => {
    const node = leader(['a', 'b', 'c'], ['n']);
    node.propose();
    expect(node.sent('append').map(({ to }) => to)).toEqual(['b', 'c']);
    node.acknowledge('n');
    expect(node.status.commitIndex).toBe(2);
  });
});

describe('a leader that is removed', () => {
  it('leads on without its own vote until the others have the change, then steps back (thesis §4.2.2)', () => {
    const node = leader(['a', 'b', 'c']);
    const id = change(node, { type: 'remove', id: 'a' });
    node.acknowledge('b');
    expect(node.status).toMatchObject({ role: 'leader', commitIndex: 2 });
    node.acknowledge('c');
    expect(node.answer(id)).toMatchObject({ outcome: 'done', index: 3 });
    expect(node.status).toMatchObject({ role: 'follower', commitIndex: 3 });
    node.wait(10 * timing.electionTimeoutMs);
    expect(node.core.nextDeadlineMs()).toBe(Infinity);
  });

  it('stands again after a crash while only its own log knows of the removal (fig. 4.6, bug 36)', () => {
    const log = new TestLog(configurationOf(['a', 'b'])).addConfiguration(2, configurationOf(['b']));
    const restored = {
      ...log.restored({ term: 2, commit: 1 }),
      configurations: [
        { index: 1, configuration: log.configuration },
        { index: 2, configuration: configurationOf(['b']) },
      ],
    };
    const node = new TestNode({ restored });
    node.campaign();
    expect(node.sent('preVote').map(({ to }) => to)).toEqual(['b']);
    expect(node.status.role).toBe('follower');
    node.receive('b', preVoteGranted(2));
    node.receive('b', voteGranted(3));
    expect(node.status).toMatchObject({ role: 'leader', term: 3 });
    node.acknowledge('b');
    expect(node.status).toMatchObject({ role: 'follower', commitIndex: 3 });
  });
});

describe('a follower', () => {
  const log = new TestLog(configurationOf(['a', 'b', 'c']));

  it('uses a configuration as soon as it has it', () => {
    const node = new TestNode();
    node.receive(
      'b',
      new TestLog(log.configuration).addConfiguration(1, configurationOf(['b', 'c'])).append(1, 1),
    );
    expect(voters(node)).toEqual(['b', 'c']);
    expect(node.status.configuration.index).toBe(2);
  });

  it('goes back to exactly the one before when it is cut off (bug 35)', () => {
    const node = new TestNode();
    node.receive(
      'b',
      new TestLog(log.configuration).addConfiguration(1, configurationOf(['b', 'c'])).append(1, 1),
    );
    node.receive('c', new TestLog(log.configuration, [2]).append(2, 1));
    expect(voters(node)).toEqual(['a', 'b', 'c']);
    expect(node.status.configuration.index).toBe(1);
  });

  it('finds its newest configuration again after a restart, committed or not (bug 35)', () => {
    const longer = new TestLog(log.configuration).addConfiguration(1, configurationOf(['b', 'c']));
    const node = new TestNode({
      restored: {
        ...longer.restored(),
        configurations: [
          { index: 1, configuration: log.configuration },
          { index: 2, configuration: configurationOf(['b', 'c']) },
        ],
      },
    });
    expect(voters(node)).toEqual(['b', 'c']);
  });

  it('counts its patience from the day it becomes a voter', () => {
    const observer = new TestLog(configurationOf(['b', 'c'], ['a']));
    const node = new TestNode({ restored: observer.restored() });
    node.wait(10 * timing.electionTimeoutMs);
    node.receive('b', observer.addConfiguration(1, configurationOf(['a', 'b', 'c'])).append(1, 1));
    expect(node.core.nextDeadlineMs() - node.now).toBeGreaterThanOrEqual(timing.electionTimeoutMs);
    expect(node.core.nextDeadlineMs()).toBeLessThan(Infinity);
  });
});

describe('bootstrap', () => {
  const empty = {
    hardState: { term: 0, votedFor: null, commit: 0 },
    snapshot: null,
    headers: [],
    configurations: [],
  };
  const bootstrap = (node: TestNode, ids: string[]): number =>
    node.ask((id) => ({
      type: 'bootstrap',
      id,
      configuration: { members: ids.map((name) => member(name)) },
    }));

  it('gives an empty node its first configuration, the same bytes on every node', () => {
    const nodes = [new TestNode({ restored: empty }), new TestNode({ id: 'b', restored: empty })];
    const [a, b] = nodes as [TestNode, TestNode];
    expect(a.answer(bootstrap(a, ['a', 'b', 'c']))).toMatchObject({ outcome: 'done' });
    bootstrap(b, ['c', 'b', 'a']);
    expect(a.core.entry(1)?.chainHash).toBe(b.core.entry(1)?.chainHash);
    expect(a.status).toMatchObject({ term: 1, lastIndex: 1 });
  });

  it('is refused on any other node', () => {
    const node = new TestNode();
    expect(node.answer(bootstrap(node, ['a']))).toMatchObject({ outcome: 'rejected', reason: 'not-empty' });
    expect(voters(node)).toEqual(['a', 'b', 'c']);
  });

  it('is not needed to follow a cluster', () => {
    const node = new TestNode({ id: 'd', restored: empty });
    node.wait(10 * timing.electionTimeoutMs);
    expect(node.status).toMatchObject({ role: 'follower', term: 0 });
    node.receive('b', heartbeat(4));
    node.receive('b', new TestLog(configurationOf(['b', 'c'], ['d']), [4]).append(4, 0));
    expect(node.terms()).toEqual([1, 4]);
  });
});

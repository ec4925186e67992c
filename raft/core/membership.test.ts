import { describe, expect, it } from '@jest/globals';
import type { MembershipChange } from './configuration-change.js';
import { decodeConfiguration } from './configuration.js';
import { heartbeat, preVoteGranted, CoreHarness, timing, voteGranted } from './testing/core-harness.js';
import { configurationOf, member, TestLog } from './testing/test-log.js';

const leader = (voters: string[], others: string[] = []): CoreHarness => {
  const node = CoreHarness.leader(new TestLog(configurationOf(voters, others)), 2);
  for (const from of voters.slice(1)) node.acknowledge(from);
  return node;
};

const change = (node: CoreHarness, wish: MembershipChange, expectedIndex?: number, force = false): number =>
  node.ask((id) => ({ type: 'changeMembership', id, change: wish, expectedIndex, force }));

const add = (id: string, incarnation = `disk of ${id}`): MembershipChange => ({
  type: 'addVoter',
  id,
  address: `${id}:1`,
  incarnation,
});
const voters = (node: CoreHarness): string[] =>
  node.status.configuration.configuration.members.filter(({ voter }) => voter).map(({ id }) => id);
const matchOf = (node: CoreHarness, id: string) =>
  node.status.peers.find((peer) => peer.id === id)?.matchIndex;

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
    const node = CoreHarness.leader(new TestLog(configurationOf(['a', 'b', 'c'])), 2);
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
    const node = CoreHarness.leader(new TestLog(configurationOf(['a'], ['b'])), 2);
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

  it('gives no lease for the patience with a newcomer that answers what it was asked in an earlier membership', () => {
    const node = leader(['a', 'c']);
    node.acknowledge('c');
    node.wait(timing.heartbeatIntervalMs);
    const { round } = node;
    change(node, { type: 'remove', id: 'c' }, undefined, true);
    node.now += 40;
    change(node, add('c'), undefined, true);
    expect(node.status.leaseRemainingMs).toBe(0);
    node.confirm('c', { round });
    expect(node.status.leaseRemainingMs).toBe(timing.leaseTimeoutMs - 40);
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

describe('a change that the reachable voters could not decide', () => {
  /** A leader of these voters that hears only some of them. */
  const hearing = (all: string[], heard: string, others: string[] = []): CoreHarness => {
    const node = leader(all, others);
    for (let beat = 0; beat < 20; beat++) {
      node.wait(timing.heartbeatIntervalMs);
      for (const from of heard) node.confirm(from);
    }
    return node;
  };
  const refused = { outcome: 'rejected', reason: 'would-lose-quorum' };

  it('is refused, with the names of the silent', () => {
    const node = hearing(['a', 'b', 'c'], 'b');
    expect(node.answer(change(node, { type: 'remove', id: 'b' }))).toMatchObject({
      ...refused,
      detail: 'no majority without an answer from c',
    });
    expect(node.answer(change(node, { type: 'demote', id: 'b' }))).toMatchObject(refused);
    expect(node.answer(change(node, add('d')))).toMatchObject(refused);
    expect(node.status).toMatchObject({ lastIndex: 2, configuration: { index: 1 } });
  });

  it('is made when it is forced', () => {
    const node = hearing(['a', 'b', 'c'], 'b');
    expect(node.answer(change(node, { type: 'remove', id: 'b' }, undefined, true))).toBeUndefined();
    expect(voters(node)).toEqual(['a', 'c']);
  });

  it('is made when those who answer are still a majority', () => {
    for (const wish of [
      { type: 'remove', id: 'c' },
      { type: 'demote', id: 'c' },
    ] as MembershipChange[]) {
      const node = hearing(['a', 'b', 'c'], 'b');
      expect(node.answer(change(node, wish))).toBeUndefined();
    }
    const node = hearing(['a', 'b', 'c'], 'bc');
    expect(node.answer(change(node, add('d')))).toBeUndefined();
  });

  it('is refused to a lone voter whose newcomer never answered, not to one whose newcomer did', () => {
    const node = CoreHarness.leader(new TestLog(configurationOf(['a'], ['n'])), 2);
    expect(node.answer(change(node, add('n')))).toMatchObject(refused);
    node.acknowledge('n');
    expect(node.answer(change(node, add('n')))).toBeUndefined();
  });

  it('is refused when the leader would leave it to others who do not answer', () => {
    const node = hearing(['a', 'b', 'c'], 'b');
    expect(node.answer(change(node, { type: 'remove', id: 'a' }))).toMatchObject(refused);
  });

  it('does not count the answers of another disk', () => {
    const node = hearing(['a', 'b'], 'bn', ['n']);
    change(node, { type: 'addNonvoter', id: 'n', address: 'n:1', incarnation: 'new disk' });
    node.acknowledge('b');
    const wish: MembershipChange = {
      type: 'replace',
      id: 'b',
      by: { id: 'n', address: 'n:1', incarnation: 'new disk' },
    };
    expect(node.answer(change(node, wish))).toMatchObject(refused);
    node.acknowledge('n');
    expect(node.answer(change(node, wish))).toBeUndefined();
  });
});

describe('a replacement', () => {
  const replace = (id: string, by: string): MembershipChange => ({ type: 'replace', id, by: member(by) });
  const joint = (node: CoreHarness) => node.status.configuration.configuration.joint;
  const began = (): { node: CoreHarness; id: number } => {
    const node = leader(['a', 'b', 'c'], ['d']);
    node.acknowledge('d');
    return { node, id: change(node, replace('c', 'd')) };
  };

  it('is decided by majorities of the old and of the new voters (thesis §4.3)', () => {
    const { node } = began();
    expect(joint(node)).toEqual({ voters: ['a', 'b', 'c'], leaving: ['c'] });
    expect(voters(node)).toEqual(['a', 'b', 'd']);
    node.acknowledge('c');
    expect(node.status.commitIndex).toBe(2);
    node.acknowledge('d');
    expect(node.status.commitIndex).toBe(3);
  });

  it('is not decided by the new voters alone', () => {
    const node = leader(['a', 'b', 'c'], ['d', 'e']);
    for (const from of 'de') node.acknowledge(from);
    change(node, replace('c', 'd'));
    node.acknowledge('d');
    expect(node.status.commitIndex).toBe(2);
  });

  it('is completed by itself, and done only then', () => {
    const { node, id } = began();
    node.acknowledge('b');
    expect(node.answer(id)).toBeUndefined();
    expect(node.status).toMatchObject({ lastIndex: 4, commitIndex: 3, configuration: { index: 4 } });
    expect(joint(node)).toBeUndefined();
    expect(node.status.configuration.configuration.members.map((each) => each.id)).toEqual(['a', 'b', 'd']);
    node.acknowledge('d');
    expect(node.answer(id)).toEqual({ outcome: 'done', index: 4, term: 2 });
    expect(node.status.peers.map((peer) => peer.id)).toEqual(['b', 'd']);
  });

  it('admits no other change before it is complete', () => {
    const { node } = began();
    expect(node.answer(change(node, add('e')))).toMatchObject({ reason: 'change-in-progress' });
    node.acknowledge('b');
    expect(node.answer(change(node, add('e')))).toMatchObject({ reason: 'change-in-progress' });
    node.acknowledge('b');
    expect(node.answer(change(node, add('e')))).toBeUndefined();
  });

  it('is unknown to who asked when leadership is lost in between', () => {
    const { node, id } = began();
    node.receive('b', heartbeat(9));
    expect(node.answer(id)).toMatchObject({ outcome: 'unknown' });
  });

  const half = new TestLog(configurationOf(['a', 'b', 'c'], ['d'])).addConfiguration(1, {
    members: [...configurationOf(['a', 'b', 'd'], ['c']).members],
    joint: { voters: ['a', 'b', 'c'], leaving: ['c'] },
  });
  const restored = {
    ...half.restored({ term: 1 }),
    configurations: [1, 2].map((index) => ({
      index,
      configuration: decodeConfiguration(half.at(index).data),
    })),
  };

  it('is completed by the next leader, once it has committed in its term', () => {
    const node = new CoreHarness({ restored });
    node.campaign();
    expect(node.sent('preVote').map(({ to }) => to)).toEqual(['b', 'd', 'c']);
    for (const from of 'bd') node.receive(from, preVoteGranted(1));
    for (const from of 'bd') node.receive(from, voteGranted(2));
    expect(node.status).toMatchObject({ role: 'leader', term: 2, lastIndex: 3 });
    node.acknowledge('b');
    expect(node.status).toMatchObject({ commitIndex: 3, lastIndex: 4, configuration: { index: 4 } });
    expect(voters(node)).toEqual(['a', 'b', 'd']);
    expect(joint(node)).toBeUndefined();
  });

  it('needs the votes of both sides in an election', () => {
    const node = new CoreHarness({ id: 'd', restored });
    node.campaign();
    node.receive('a', preVoteGranted(1));
    expect(node.status.role).toBe('follower');
    node.receive('c', preVoteGranted(1));
    expect(node.status.role).toBe('candidate');
    node.receive('a', voteGranted(2));
    expect(node.status.role).toBe('candidate');
    node.receive('b', voteGranted(2));
    expect(node.status.role).toBe('leader');
  });

  it('is rolled back exactly when it is cut off (bug 35)', () => {
    const node = new CoreHarness({ restored });
    expect(joint(node)).toBeDefined();
    node.receive('b', new TestLog(half.configuration, [2]).append(2, 1));
    expect(node.status.configuration.index).toBe(1);
    expect(joint(node)).toBeUndefined();
    expect(voters(node)).toEqual(['a', 'b', 'c']);
  });

  it('may take the leader away, which leads until it is complete', () => {
    const node = leader(['a', 'b', 'c'], ['d']);
    node.acknowledge('d');
    const id = change(node, replace('a', 'd'));
    for (const from of 'bd') node.acknowledge(from);
    expect(node.status).toMatchObject({ role: 'leader', lastIndex: 4 });
    for (const from of 'bd') node.acknowledge(from);
    expect(node.answer(id)).toMatchObject({ outcome: 'done', index: 4 });
    expect(node.status.role).toBe('follower');
    node.wait(10 * timing.electionTimeoutMs);
    expect(node.core.nextDeadlineMs()).toBe(Infinity);
  });

  it('is not completed under the feet of a hand-over, but after it failed', () => {
    const { node } = began();
    node.ask((id) => ({ type: 'transfer', id, to: 'b' }));
    node.acknowledge('b');
    expect(node.sent('timeoutNow')).toMatchObject([{ to: 'b', lastIndex: 3 }]);
    expect(node.status.lastIndex).toBe(3);
    const { requestId } = node.sent('timeoutNow')[0] ?? { requestId: 0 };
    node.receive('b', { type: 'timeoutNowResponse', term: 2, requestId, accepted: false });
    node.wait(timing.heartbeatIntervalMs);
    expect(node.status.lastIndex).toBe(4);
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
    // Whoever has everything need not wait until it misses its leader.
    expect(node.sent('timeoutNow')).toMatchObject([{ to: 'b', term: 2, lastIndex: 3, lastTerm: 2 }]);
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
    const node = new CoreHarness({ restored });
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
    const node = new CoreHarness();
    node.receive(
      'b',
      new TestLog(log.configuration).addConfiguration(1, configurationOf(['b', 'c'])).append(1, 1),
    );
    expect(voters(node)).toEqual(['b', 'c']);
    expect(node.status.configuration.index).toBe(2);
  });

  it('goes back to exactly the one before when it is cut off (bug 35)', () => {
    const node = new CoreHarness();
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
    const node = new CoreHarness({
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
    const node = new CoreHarness({ restored: observer.restored() });
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
  const bootstrap = (node: CoreHarness, ids: string[]): number =>
    node.ask((id) => ({
      type: 'bootstrap',
      id,
      configuration: { members: ids.map((name) => member(name)) },
    }));

  it('gives an empty node its first configuration, the same bytes on every node', () => {
    const nodes = [new CoreHarness({ restored: empty }), new CoreHarness({ id: 'b', restored: empty })];
    const [a, b] = nodes as [CoreHarness, CoreHarness];
    expect(a.answer(bootstrap(a, ['a', 'b', 'c']))).toMatchObject({ outcome: 'done' });
    bootstrap(b, ['c', 'b', 'a']);
    expect(a.core.entry(1)?.chainHash).toBe(b.core.entry(1)?.chainHash);
    expect(a.status).toMatchObject({ term: 1, lastIndex: 1 });
  });

  it('is refused on any other node', () => {
    const node = new CoreHarness();
    expect(node.answer(bootstrap(node, ['a']))).toMatchObject({ outcome: 'rejected', reason: 'not-empty' });
    expect(voters(node)).toEqual(['a', 'b', 'c']);
  });

  it('is not needed to follow a cluster', () => {
    const node = new CoreHarness({ id: 'd', restored: empty });
    node.wait(10 * timing.electionTimeoutMs);
    expect(node.status).toMatchObject({ role: 'follower', term: 0 });
    node.receive('b', heartbeat(4));
    node.receive('b', new TestLog(configurationOf(['b', 'c'], ['d']), [4]).append(4, 0));
    expect(node.terms()).toEqual([1, 4]);
  });
});

import { describe, expect, it } from '@jest/globals';
import type { MembershipChange } from './configuration-change.js';
import { CoreHarness, preVoteGranted, timing, voteGranted } from './testing/core-harness.js';
import { add, change, leaderOf, votersBy } from './testing/membership-requests.js';
import { configurationOf, TestLog } from './testing/test-log.js';

const matchOf = (node: CoreHarness, id: string) =>
  node.status.peers.find((peer) => peer.id === id)?.matchIndex;

describe('a change of membership', () => {
  it('is in force from the moment it is appended, and done when the new majority has it', () => {
    const node = leaderOf(['a', 'b', 'c']);
    const id = change(node, add('d'));
    expect(votersBy(node)).toEqual(['a', 'b', 'c', 'd']);
    node.acknowledge('b');
    expect(node.status.commitIndex).toBe(2);
    node.acknowledge('d');
    expect(node.answer(id)).toEqual({ outcome: 'done', index: 3, term: 2 });
  });

  it('waits for the one before', () => {
    const node = leaderOf(['a', 'b', 'c']);
    change(node, add('d'));
    expect(node.answer(change(node, { type: 'remove', id: 'c' }))).toMatchObject({
      reason: 'change-in-progress',
    });
    for (const from of 'bc') node.acknowledge(from);
    expect(node.answer(change(node, { type: 'remove', id: 'c' }))).toBeUndefined();
  });

  it('waits for a commit in the term (Ongaro 2015)', () => {
    const node = CoreHarness.leader(new TestLog(configurationOf(['a', 'b', 'c'])), 2);
    expect(node.answer(change(node, add('d')))).toMatchObject({ reason: 'no-commit-in-term' });
  });

  it('compares the configuration that the caller has seen', () => {
    const node = leaderOf(['a', 'b', 'c']);
    expect(node.answer(change(node, add('d'), 7))).toMatchObject({ reason: 'configuration-changed' });
    expect(node.answer(change(node, add('d'), 1))).toBeUndefined();
  });

  it('that changes nothing is answered with the entry that made the change', () => {
    const node = leaderOf(['a', 'b', 'c']);
    expect(node.answer(change(node, add('b')))).toEqual({ outcome: 'done', index: 1, term: 1 });
    expect(node.answer(change(node, { type: 'remove', id: 'x' }))).toMatchObject({ outcome: 'done' });
    expect(node.status.lastIndex).toBe(2);
  });

  it('never takes the last voter', () => {
    const node = CoreHarness.leader(new TestLog(configurationOf(['a'], ['b'])), 2);
    expect(node.answer(change(node, { type: 'remove', id: 'a' }))).toMatchObject({ reason: 'last-voter' });
    expect(node.answer(change(node, { type: 'demote', id: 'a' }))).toMatchObject({ reason: 'last-voter' });
  });

  it('does not count what another disk under the same name has acknowledged', () => {
    const node = leaderOf(['a', 'b', 'c'], ['n']);
    node.acknowledge('n');
    expect(matchOf(node, 'n')).toBe(2);
    change(node, { type: 'addNonvoter', id: 'n', address: 'n:1', incarnation: 'new disk' });
    expect(matchOf(node, 'n')).toBe(0);
  });

  it('gives no lease for the patience with a newcomer that answers what it was asked in an earlier membership', () => {
    const node = leaderOf(['a', 'c']);
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

  it('serves a removed member until the removal is committed, so that it learns of it', () => {
    const node = leaderOf(['a', 'b', 'c']);
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
    const node = leaderOf(all, others);
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
    expect(votersBy(node)).toEqual(['a', 'c']);
  });

  it('is made when the voters that answer are still a majority', () => {
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

  it('is refused to a lone voter if the newcomer never answered, and allowed if it did', () => {
    const node = CoreHarness.leader(new TestLog(configurationOf(['a'], ['n'])), 2);
    expect(node.answer(change(node, add('n')))).toMatchObject(refused);
    node.acknowledge('n');
    expect(node.answer(change(node, add('n')))).toBeUndefined();
  });

  it('is refused when the leader would leave and the others do not answer', () => {
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

describe('a non-voter', () => {
  it('gets entries, and counts for nothing', () => {
    const node = leaderOf(['a', 'b', 'c'], ['n']);
    node.propose();
    expect(node.sent('append').map(({ to }) => to)).toEqual(['b', 'c']);
    node.acknowledge('n');
    expect(node.status.commitIndex).toBe(2);
  });
});

describe('a leader that is removed', () => {
  it('leads on without its own vote until the others have the change, then steps down (Raft thesis §4.2.2)', () => {
    const node = leaderOf(['a', 'b', 'c']);
    const id = change(node, { type: 'remove', id: 'a' });
    node.acknowledge('b');
    expect(node.status).toMatchObject({ role: 'leader', commitIndex: 2 });
    node.acknowledge('c');
    expect(node.answer(id)).toMatchObject({ outcome: 'done', index: 3 });
    expect(node.status).toMatchObject({ role: 'follower', commitIndex: 3 });
    // A node that has everything need not wait for its election timeout.
    expect(node.sent('timeoutNow')).toMatchObject([{ to: 'b', term: 2, lastIndex: 3, lastTerm: 2 }]);
    node.wait(10 * timing.electionTimeoutMs);
    expect(node.core.nextDeadlineMs()).toBe(Infinity);
  });

  it('stands again after a crash while only its own log knows of the removal (fig. 4.6)', () => {
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
    expect(votersBy(node)).toEqual(['b', 'c']);
    expect(node.status.configuration.index).toBe(2);
  });

  it('goes back to exactly the one before when it is cut off', () => {
    const node = new CoreHarness();
    node.receive(
      'b',
      new TestLog(log.configuration).addConfiguration(1, configurationOf(['b', 'c'])).append(1, 1),
    );
    node.receive('c', new TestLog(log.configuration, [2]).append(2, 1));
    expect(votersBy(node)).toEqual(['a', 'b', 'c']);
    expect(node.status.configuration.index).toBe(1);
  });

  it('finds its newest configuration again after a restart, committed or not', () => {
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
    expect(votersBy(node)).toEqual(['b', 'c']);
  });

  it('counts its timeout from the moment it becomes a voter', () => {
    const observer = new TestLog(configurationOf(['b', 'c'], ['a']));
    const node = new CoreHarness({ restored: observer.restored() });
    node.wait(10 * timing.electionTimeoutMs);
    node.receive('b', observer.addConfiguration(1, configurationOf(['a', 'b', 'c'])).append(1, 1));
    expect(node.core.nextDeadlineMs() - node.now).toBeGreaterThanOrEqual(timing.electionTimeoutMs);
    expect(node.core.nextDeadlineMs()).toBeLessThan(Infinity);
  });
});

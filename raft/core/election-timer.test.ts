import { describe, expect, it } from '@jest/globals';
import { CoreHarness, heartbeat, preVoteRefused, timing } from './testing/core-harness.js';
import { configurationOf, TestLog } from './testing/test-log.js';

const log = (...terms: number[]) => new TestLog(configurationOf(['a', 'b', 'c']), terms);

describe('a follower that hears nothing', () => {
  it('waits for the election timeout, then asks for pre-votes without touching its term', () => {
    const node = new CoreHarness({ restored: log().restored({ term: 3 }) });
    expect(node.wait(timing.electionTimeoutMs - 1)).toEqual([]);
    node.waitForDeadline();
    expect(node.sent('preVote').map(({ to, term }) => [to, term])).toEqual([
      ['b', 4],
      ['c', 4],
    ]);
    expect(node.status).toMatchObject({ role: 'follower', term: 3 });
  });

  it('wakes up one rank slot after the node before it, in an order that turns with the term', () => {
    const deadlines = (term: number) =>
      ['a', 'b', 'c'].map((id) => {
        const node = new CoreHarness({ id, restored: log().restored({ term }) });
        return (node.core.nextDeadlineMs() - node.now - timing.electionTimeoutMs) / timing.rankSlotMs;
      });
    expect(deadlines(3)).toEqual([0, 1, 2]);
    expect(deadlines(4)).toEqual([2, 0, 1]);
  });

  it('leaves the lost leader out of the order', () => {
    const node = new CoreHarness({ id: 'c', restored: log().restored({ term: 4 }) });
    node.receive('b', heartbeat(4));
    node.step({ type: 'peerGone', peer: 'b' });
    expect(node.sent('preVote')).toHaveLength(2);
  });

  it('takes the rank that its leader published in that term', () => {
    const node = new CoreHarness({ restored: log().restored({ term: 3 }) });
    const slots = () =>
      (node.core.nextDeadlineMs() - node.now - timing.electionTimeoutMs) / timing.rankSlotMs;
    node.receive('b', heartbeat(3, { rank: 1 }));
    expect(slots()).toBe(1);
    node.receive('b', new TestLog(configurationOf(['a', 'b', 'c']), [3]).append(3, 1));
    expect(slots()).toBe(1);
    node.receive('b', heartbeat(3, { rank: 0 }));
    expect(slots()).toBe(0);
    node.receive('c', heartbeat(4, { rank: 7 }));
    node.receive('b', heartbeat(3, { rank: 2 }));
    expect(slots()).toBe(7);
    node.receive('b', { type: 'vote', term: 5, requestId: 1, lastIndex: 9, lastTerm: 4, transferNumber: 1 });
    expect(slots()).toBe(1);
  });

  it('forgets that rank when the leader has been gone for long: those ranked before it did not win', () => {
    const node = new CoreHarness({ restored: log().restored({ term: 3 }) });
    node.receive('b', heartbeat(3, { rank: 5 }));
    const patience = () => {
      node.waitForDeadline();
      return Math.round((node.core.nextDeadlineMs() - node.now) / timing.rankSlotMs);
    };
    const first = patience();
    let last = first;
    while (node.now < 1000 + 3 * timing.electionTimeoutMs) last = patience();
    expect([first, last]).toEqual([3 + 5, 3 + 1]);
  });

  it('queues behind all others while it is unfit to lead', () => {
    const node = new CoreHarness({ restored: log().restored({ term: 3 }) });
    node.step({ type: 'eligibility', value: 0 });
    node.receive('b', heartbeat(3, { rank: 1 }));
    expect(node.core.nextDeadlineMs() - node.now).toBe(timing.electionTimeoutMs + 3 * timing.rankSlotMs);
  });

  it('restarts its timeout with every message of the leader', () => {
    const node = new CoreHarness();
    node.wait(timing.electionTimeoutMs - 10);
    node.receive('b', heartbeat(1));
    expect(node.wait(timing.electionTimeoutMs - 10)).toEqual([]);
  });

  it('draws a new jitter for each attempt', () => {
    const node = new CoreHarness();
    node.random = 0.25;
    node.campaign();
    const first = node.core.nextDeadlineMs() - node.now;
    node.random = 0.75;
    node.campaign();
    expect(node.core.nextDeadlineMs() - node.now - first).toBeCloseTo(timing.jitterMs / 2);
  });

  it('never stands as the member whose disk it replaced', () => {
    const node = new CoreHarness({ incarnation: 'another disk' });
    node.wait(10 * timing.electionTimeoutMs);
    expect(node.core.nextDeadlineMs()).toBe(Infinity);
    node.receive('b', heartbeat(1));
    node.receive('b', {
      type: 'timeoutNow',
      term: 1,
      requestId: 1,
      transferNumber: 1,
      lastIndex: 1,
      lastTerm: 1,
    });
    expect(node.sent('timeoutNowResponse')).toMatchObject([{ accepted: false }]);
  });

  it('never stands as a non-voter', () => {
    const observer = new TestLog(configurationOf(['b', 'c'], ['a'])).restored();
    const node = new CoreHarness({ restored: observer });
    node.wait(10 * timing.electionTimeoutMs);
    expect(node.core.nextDeadlineMs()).toBe(Infinity);
  });
});

describe('proof that the leader is dead', () => {
  it('lets a follower stand without waiting, and vote at once', () => {
    const node = new CoreHarness({ restored: log().restored({ term: 3 }) });
    node.receive('c', heartbeat(3));
    node.step({ type: 'peerGone', peer: 'c' });
    expect(node.sent('preVote')[0]).toMatchObject({ term: 4, lastIndex: 1, lastTerm: 1 });
    node.receive('b', { type: 'preVote', term: 4, requestId: 1, lastIndex: 1, lastTerm: 1 });
    expect(node.sent('preVoteResponse')[0]).toMatchObject({ granted: true, remainingMs: 0 });
  });

  it('lets the next in line go first', () => {
    const node = new CoreHarness({ restored: log().restored({ term: 3 }) });
    node.receive('c', heartbeat(3, { rank: 1 }));
    node.step({ type: 'peerGone', peer: 'c' });
    expect(node.sent('preVote')).toEqual([]);
    expect(node.core.nextDeadlineMs() - node.now).toBe(timing.rankSlotMs);
  });

  it('reaches the others within moments: loyal voters are asked again soon, and after that only when they are free', () => {
    const node = new CoreHarness({ restored: log().restored({ term: 3 }) });
    node.receive('c', heartbeat(3));
    node.step({ type: 'peerGone', peer: 'c' });
    node.receive('b', preVoteRefused(3, 200));
    expect(node.core.nextDeadlineMs() - node.now).toBeLessThan(timing.rankSlotMs);
    node.waitForDeadline();
    expect(node.sent('preVote')).toHaveLength(2);
    node.receive('b', preVoteRefused(3, 200));
    expect(node.core.nextDeadlineMs() - node.now).toBeGreaterThan(199);
  });

  it('means nothing when it is about another node', () => {
    const node = new CoreHarness();
    node.receive('c', heartbeat(1));
    node.step({ type: 'peerGone', peer: 'b' });
    expect(node.core.nextDeadlineMs() - node.now).toBeGreaterThanOrEqual(timing.electionTimeoutMs);
  });

  it('is forgotten when the leader speaks after all', () => {
    const node = new CoreHarness();
    node.receive('c', heartbeat(1));
    node.step({ type: 'peerGone', peer: 'c' });
    node.receive('c', heartbeat(1));
    expect(node.core.nextDeadlineMs() - node.now).toBeGreaterThanOrEqual(timing.electionTimeoutMs);
  });
});

describe('a process that was stalled', () => {
  it('reads its messages before it stands', () => {
    const node = new CoreHarness();
    node.now += 5 * timing.electionTimeoutMs;
    node.step({ type: 'stalled', forMs: 5 * timing.electionTimeoutMs });
    expect(node.core.nextDeadlineMs() - node.now).toBe(timing.heartbeatIntervalMs);
  });

  it('no longer leads when others may have been elected, whether it was told of the stall or not', () => {
    for (const told of [true, false]) {
      const node = CoreHarness.leader(log(), 2);
      node.now += timing.electionTimeoutMs;
      if (told) node.step({ type: 'stalled', forMs: timing.electionTimeoutMs });
      else node.propose();
      expect(node.status.role).toBe('follower');
    }
  });
});

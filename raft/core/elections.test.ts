import { describe, expect, it } from '@jest/globals';
import type { Message } from './messages.js';
import {
  heartbeat,
  heartbeatAnswer,
  preVoteGranted,
  CoreHarness,
  timing,
  voteGranted,
} from './testing/core-harness.js';
import { configurationOf, TestLog } from './testing/test-log.js';

const log = (...terms: number[]) => new TestLog(configurationOf(['a', 'b', 'c']), terms);

const preVoteRefused = (term: number, remainingMs: number): Message => ({
  ...(preVoteGranted(term) as Extract<Message, { type: 'preVoteResponse' }>),
  granted: false,
  remainingMs,
});

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

  it('takes the place in the succession that its leader told it, in that term', () => {
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
    node.receive('b', { type: 'vote', term: 5, requestId: 1, lastIndex: 9, lastTerm: 4, handOver: 1 });
    expect(slots()).toBe(1);
  });

  it('forgets that place when the leader has been gone for long: whoever stood before it did not win', () => {
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

  it('queues behind all others while it is unfit to lead (bug 47)', () => {
    const node = new CoreHarness({ restored: log().restored({ term: 3 }) });
    node.step({ type: 'eligibility', value: 0 });
    node.receive('b', heartbeat(3, { rank: 1 }));
    expect(node.core.nextDeadlineMs() - node.now).toBe(timing.electionTimeoutMs + 3 * timing.rankSlotMs);
  });

  it('starts its patience anew with every word from the leader', () => {
    const node = new CoreHarness();
    node.wait(timing.electionTimeoutMs - 10);
    node.receive('b', heartbeat(1));
    expect(node.wait(timing.electionTimeoutMs - 10)).toEqual([]);
  });

  it('draws its jitter anew for each attempt (bug 14)', () => {
    const node = new CoreHarness();
    node.random = 0.25;
    node.campaign();
    const first = node.core.nextDeadlineMs() - node.now;
    node.random = 0.75;
    node.campaign();
    expect(node.core.nextDeadlineMs() - node.now - first).toBeCloseTo(timing.jitterMs / 2);
  });

  it('never stands as the member whose disk it replaced (bug 40)', () => {
    const node = new CoreHarness({ incarnation: 'another disk' });
    node.wait(10 * timing.electionTimeoutMs);
    expect(node.core.nextDeadlineMs()).toBe(Infinity);
    node.receive('b', heartbeat(1));
    node.receive('b', { type: 'timeoutNow', term: 1, requestId: 1, handOver: 1, lastIndex: 1, lastTerm: 1 });
    expect(node.sent('timeoutNowResponse')).toMatchObject([{ accepted: false }]);
  });

  it('never stands as a non-voter', () => {
    const observer = new TestLog(configurationOf(['b', 'c'], ['a'])).restored();
    const node = new CoreHarness({ restored: observer });
    node.wait(10 * timing.electionTimeoutMs);
    expect(node.core.nextDeadlineMs()).toBe(Infinity);
  });
});

describe('a candidate', () => {
  it('stands once a majority would vote for it, and leads once a majority did', () => {
    const node = new CoreHarness();
    node.campaign();
    node.receive('b', preVoteGranted(1));
    expect(node.status).toMatchObject({ role: 'candidate', term: 2 });
    expect(node.sent('vote').map(({ to, term, handOver }) => [to, term, handOver])).toEqual([
      ['b', 2, 0],
      ['c', 2, 0],
    ]);
    node.receive('c', voteGranted(2));
    expect(node.status).toMatchObject({ role: 'leader', term: 2, leader: 'a', ready: false });
    expect(node.terms()).toEqual([1, 2]);
    expect(node.sent('heartbeat').map(({ to }) => to)).toEqual(['b', 'c']);
    expect(node.sent('append').map(({ to, entries }) => [to, entries.map(({ kind }) => kind)])).toEqual([
      ['b', ['noop']],
      ['c', ['noop']],
    ]);
  });

  it('asks for votes only when its own vote and term are on disk', () => {
    const node = new CoreHarness({ slowDisk: true });
    node.campaign();
    node.receive('b', preVoteGranted(1));
    expect(node.sent('vote')).toEqual([]);
    expect(node.writing?.hardState).toMatchObject({ term: 2, votedFor: 'a' });
    expect(node.sent('vote', node.finishWrite())).toHaveLength(2);
  });

  it('counts a voter once, however often it answers (bug 4)', () => {
    const node = new CoreHarness({ restored: new TestLog(configurationOf([...'abcde'])).restored() });
    node.campaign();
    for (const from of 'bcd') node.receive(from, preVoteGranted(1));
    for (let repeat = 0; repeat < 3; repeat++) node.receive('b', voteGranted(2));
    expect(node.status.role).toBe('candidate');
  });

  it('counts no votes of non-voters and strangers, and none of another term (bug 7)', () => {
    const restored = new TestLog(configurationOf(['a', 'b', 'c'], ['n'])).restored();
    const node = new CoreHarness({ restored });
    node.campaign();
    node.receive('b', preVoteGranted(1));
    for (const from of ['n', 'x']) node.receive(from, voteGranted(2));
    node.receive('b', voteGranted(1));
    expect(node.status.role).toBe('candidate');
  });

  it('follows whoever leads its term', () => {
    const node = new CoreHarness();
    node.campaign();
    node.receive('b', preVoteGranted(1));
    node.receive('c', heartbeat(2));
    expect(node.status).toMatchObject({ role: 'follower', term: 2, leader: 'c' });
  });

  it('tries again when the loyal are free, plus its stagger (raft.md §4.4)', () => {
    const node = new CoreHarness({ id: 'b', restored: log().restored({ term: 3 }) });
    node.campaign();
    node.receive('a', preVoteRefused(3, 120));
    node.receive('c', preVoteRefused(3, 80));
    expect(node.core.nextDeadlineMs() - node.now).toBe(120 + timing.rankSlotMs);
  });

  it('counts answers to earlier attempts, but none from before another term or a leader (bug 10)', () => {
    const asks = (node: CoreHarness): number => {
      node.campaign();
      return node.sent('preVote')[0]?.requestId as number;
    };
    const lateGrant = (requestId: number): Message => ({ ...preVoteGranted(0), requestId });

    const patient = new CoreHarness();
    const first = asks(patient);
    asks(patient);
    patient.receive('b', lateGrant(first));
    expect(patient.status.role).toBe('candidate');

    const taught = new CoreHarness();
    const before = asks(taught);
    taught.receive('c', preVoteRefused(7, 0));
    asks(taught);
    taught.receive('b', lateGrant(before));
    expect(taught.status).toMatchObject({ role: 'follower', term: 7 });

    const led = new CoreHarness();
    const earlier = asks(led);
    led.receive('c', heartbeat(1));
    led.now += 10 * timing.electionTimeoutMs;
    asks(led);
    led.receive('b', lateGrant(earlier));
    expect(led.status).toMatchObject({ role: 'follower', term: 1 });
  });

  it('learns a later term from a refusal and asks anew in it (bug 9)', () => {
    const node = new CoreHarness();
    node.campaign();
    node.receive('b', preVoteRefused(7, 0));
    expect(node.status.term).toBe(7);
    node.campaign();
    expect(node.sent('preVote')[0]?.term).toBe(8);
  });

  it('follows no late answer once it is loyal to a leader, whose lease counts on that', () => {
    const node = new CoreHarness();
    node.waitForDeadline();
    node.receive('b', heartbeat(1));
    node.receive('c', preVoteRefused(9, 0));
    node.receive('c', { ...voteGranted(9), granted: false } as Message);
    node.receive('c', heartbeatAnswer(9));
    expect(node.status).toMatchObject({ term: 1, leader: 'b' });
    node.wait(timing.electionTimeoutMs);
    node.receive('c', heartbeatAnswer(9));
    expect(node.status).toMatchObject({ term: 9, leader: null });
  });

  it('asks silent voters again, and waits longer after each fruitless election (bugs 5, 16)', () => {
    const node = new CoreHarness();
    const patience = () => {
      while (node.status.role !== 'candidate') {
        node.campaign();
        node.receive('b', preVoteGranted(node.status.term));
      }
      const begin = node.now;
      const repeated: number[] = [];
      while (node.status.role === 'candidate') {
        node.waitForDeadline();
        if (node.sent('vote').length > 0) repeated.push(node.sent('vote').length);
      }
      return { ms: node.now - begin, repeated };
    };
    expect(patience().repeated).toEqual([]);
    const second = patience();
    expect(second.repeated).toEqual([2]);
    expect(second.ms).toBeGreaterThanOrEqual(2 * timing.electionTimeoutMs);
    expect(patience().ms).toBeGreaterThanOrEqual(4 * timing.electionTimeoutMs);
  });

  it('does not wait longer than usual when one voter refuses and the other is silent: the vote is split', () => {
    const node = new CoreHarness();
    const campaign = (answer?: (term: number) => void): number => {
      while (node.status.role !== 'candidate') {
        node.campaign();
        node.receive('b', preVoteGranted(node.status.term));
      }
      const begin = node.now;
      answer?.(node.status.term);
      while (node.status.role === 'candidate') node.waitForDeadline();
      return node.now - begin;
    };
    for (let fruitless = 0; fruitless < 4; fruitless++) campaign();
    const refused = campaign((term) =>
      node.receive('b', { ...voteGranted(term), granted: false } as Message),
    );
    expect(refused).toBeLessThan(2 * timing.electionTimeoutMs);
  });

  it('does not wait for anybody when all have refused', () => {
    const node = new CoreHarness();
    node.campaign();
    node.receive('b', preVoteGranted(1));
    for (const from of 'bc') {
      node.receive(from, { ...voteGranted(2), granted: false } as Message);
    }
    expect(node.core.nextDeadlineMs() - node.now).toBeLessThan(timing.electionTimeoutMs);
    node.waitForDeadline();
    expect(node.sent('preVote')).toHaveLength(2);
  });
});

describe('a lone voter', () => {
  it('leads at once, without asking anybody', () => {
    const node = new CoreHarness({ restored: new TestLog(configurationOf(['a'])).restored({ term: 4 }) });
    expect(node.now).toBe(1000);
    expect(node.status).toMatchObject({ role: 'leader', term: 5, ready: true, commitIndex: 2 });
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

  it('reaches the others within moments: who is loyal still is asked again soon, and then as long as it says', () => {
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

  it('means nothing when it is about somebody else', () => {
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

describe('two nodes that stand at the same time', () => {
  const asks = (requestId: number): Message => ({
    type: 'preVote',
    term: 2,
    requestId,
    lastIndex: 9,
    lastTerm: 1,
  });

  it('do not both go on: the one with the greater id makes way, for less than the pause between two attempts', () => {
    const goesOn = (id: string, other: string): boolean => {
      const node = new CoreHarness({ id });
      node.campaign();
      const nextAttemptMs = node.core.nextDeadlineMs();
      node.receive(other, asks(1));
      expect(node.sent('preVoteResponse')[0]).toMatchObject({ granted: true });
      const deadlineMs = node.core.nextDeadlineMs();
      expect(deadlineMs).toBeLessThanOrEqual(Math.max(nextAttemptMs, node.now + 3 * timing.rankSlotMs));
      node.receive(other, preVoteGranted(1));
      return node.status.role === 'candidate';
    };
    expect([goesOn('a', 'b'), goesOn('b', 'a')]).toEqual([true, false]);
  });

  it('tie in vain for a moment only: the leader that both have lost is not waited for', () => {
    const node = new CoreHarness({ restored: log().restored({ term: 3 }) });
    node.receive('c', heartbeat(3));
    node.campaign();
    node.receive('b', preVoteGranted(3));
    node.receive('b', { ...voteGranted(4), granted: false } as Message);
    expect(node.core.nextDeadlineMs() - node.now).toBeLessThanOrEqual(3 * timing.rankSlotMs);
    node.waitForDeadline();
    expect(node.status).toMatchObject({ role: 'follower', term: 4 });
    expect(node.sent('preVote')[0]).toMatchObject({ term: 5 });
  });

  it('a follower that would vote for another lets it try first', () => {
    const node = new CoreHarness();
    node.wait(timing.electionTimeoutMs - 1);
    node.receive('b', asks(1));
    expect(node.core.nextDeadlineMs() - node.now).toBeGreaterThanOrEqual(timing.rankSlotMs);
  });
});

describe('a process that stood still', () => {
  it('reads its messages before it stands (bug 53)', () => {
    const node = new CoreHarness();
    node.now += 5 * timing.electionTimeoutMs;
    node.step({ type: 'stalled', forMs: 5 * timing.electionTimeoutMs });
    expect(node.core.nextDeadlineMs() - node.now).toBe(timing.heartbeatIntervalMs);
  });

  it('no longer leads when others may have been elected, whether it was told of the stall or not (bug 54)', () => {
    for (const told of [true, false]) {
      const node = CoreHarness.leader(log(), 2);
      node.now += timing.electionTimeoutMs;
      if (told) node.step({ type: 'stalled', forMs: timing.electionTimeoutMs });
      else node.propose();
      expect(node.status.role).toBe('follower');
    }
  });
});

describe('a leader', () => {
  it('steps back when no quorum answers within the lease, counted from when it asked (bugs 12, 52)', () => {
    const node = CoreHarness.leader(log(), 2);
    node.wait(timing.heartbeatIntervalMs);
    const { now: since, round } = node;
    node.wait(150);
    node.confirm('b', { round });
    while (node.status.role === 'leader') node.waitForDeadline();
    expect(node.now - since).toBe(timing.leaseTimeoutMs);
    expect(node.status).toMatchObject({ role: 'follower', term: 2, leader: null });
  });

  it('gives way to a later term at once', () => {
    const node = CoreHarness.leader(log(), 2);
    node.receive('b', heartbeatAnswer(9));
    expect(node.status).toMatchObject({ role: 'follower', term: 9 });
  });

  it('never shows a lease beyond the lease timeout, after fruitless elections neither', () => {
    const node = new CoreHarness();
    for (let round = 0; round < 3; round++) {
      while (node.status.role !== 'candidate') {
        node.campaign();
        node.receive('b', preVoteGranted(node.status.term));
      }
      if (round < 2) while (node.status.role === 'candidate') node.waitForDeadline();
    }
    node.receive('b', voteGranted(node.status.term));
    expect(node.status.role).toBe('leader');
    expect(node.status.leaseRemainingMs).toBeLessThanOrEqual(timing.leaseTimeoutMs);
    expect(node.status.peers.every((peer) => peer.lastContactMs >= 0)).toBe(true);
  });

  it('has no lease before a quorum acknowledged a heartbeat: its voters may follow another by now', () => {
    const node = CoreHarness.leader(log(), 2);
    expect(node.status.leaseRemainingMs).toBe(0);
    node.confirm('b');
    expect(node.status.leaseRemainingMs).toBeGreaterThan(0);
  });

  it('ends the process when another claims its term', () => {
    const node = CoreHarness.leader(log(), 2);
    node.receive('b', heartbeat(2));
    expect(node.halted()).toMatch(/leads term 2 beside a/);
    expect(node.wait(1000)).toEqual([]);
  });
});

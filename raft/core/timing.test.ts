import { describe, expect, it } from '@jest/globals';
import { changeTiming } from './configuration-change.js';
import { decodeConfiguration, encodeConfiguration } from './configuration.js';
import type { PreVoteResponse } from './messages.js';
import { heartbeat, preVoteGranted, CoreHarness, timing, voteGranted } from './testing/core-harness.js';
import { configurationOf, TestLog } from './testing/test-log.js';
import { clusterTimingOf, timingProblem, type ClusterTiming } from './timing.js';

const own = clusterTimingOf(timing);
const times = (factor: number): ClusterTiming => ({
  heartbeatIntervalMs: factor * own.heartbeatIntervalMs,
  electionTimeoutMs: factor * own.electionTimeoutMs,
  rankSlotMs: factor * own.rankSlotMs,
  jitterMs: factor * own.jitterMs,
  leaseTimeoutMs: factor * own.leaseTimeoutMs,
});
const abc = configurationOf(['a', 'b', 'c']);

function leader(log = new TestLog(abc)): CoreHarness {
  const node = CoreHarness.leader(log, 2);
  for (const from of 'bc') node.acknowledge(from);
  return node;
}
const setTiming = (node: CoreHarness, wanted: ClusterTiming): number =>
  node.ask((id) => ({ type: 'setTiming', id, timing: wanted, expectedIndex: undefined }));

describe('times that no cluster can run with', () => {
  it.each<[string, Partial<ClusterTiming>, RegExp]>([
    ['a lease beyond the loyalty that it rests on', { leaseTimeoutMs: 301 }, /outlasts the loyalty/],
    ['a lease that ends between two heartbeats', { leaseTimeoutMs: 50 }, /before the next heartbeat/],
    ['no interval', { heartbeatIntervalMs: 0 }, /heartbeatIntervalMs is 0, set it to at least 1 ms/],
    ['no pause between two attempts', { rankSlotMs: 0 }, /rankSlotMs is 0, set it to at least 1 ms/],
    ['ties that are never broken', { jitterMs: 0.1 }, /jitterMs is 0.1, set it to at least 1 ms/],
    ['ranks beyond all patience', { rankSlotMs: 299, jitterMs: 2 }, /exceed the election timeout/],
    ['what is no time', { jitterMs: NaN }, /number of milliseconds/],
    ['a negative time', { jitterMs: -1 }, /number of milliseconds/],
  ])('are %s', (_, wrong, reason) => {
    expect(timingProblem({ ...own, ...wrong })).toMatch(reason);
    expect(changeTiming(abc, { ...own, ...wrong })).toMatchObject({ ok: false, reason: 'invalid-timing' });
  });

  it('are not the usual ones', () => {
    expect(timingProblem(own)).toBeUndefined();
  });
});

describe('the timing of a cluster', () => {
  it('is part of the configuration, beside what was there before', () => {
    const configuration = { members: abc.members, timing: times(2) };
    expect(decodeConfiguration(encodeConfiguration(configuration))).toEqual(configuration);
    expect(decodeConfiguration(encodeConfiguration(abc))).not.toHaveProperty('timing');
    const more = { ...configuration, timing: timing as ClusterTiming };
    expect(decodeConfiguration(encodeConfiguration(more)).timing).toEqual(own);
  });

  it("is the founder's, on every node that has the entry", () => {
    const founded = new TestLog({ ...abc, timing: times(2) });
    const node = new CoreHarness({
      restored: {
        ...founded.restored(),
        configurations: [{ index: 1, configuration: decodeConfiguration(founded.at(1).data) }],
      },
    });
    expect(node.core.timing).toMatchObject({ ...times(2) });
    expect(node.wait(2 * own.electionTimeoutMs - 1)).toEqual([]);
    node.waitForDeadline();
    expect(node.sent('preVote')).toHaveLength(2);
  });

  it('keeps what concerns one node only', () => {
    const node = leader();
    setTiming(node, times(2));
    const { requestTimeoutMs, transferTimeoutMs } = timing;
    expect(node.core.timing).toEqual({ ...times(2), requestTimeoutMs, transferTimeoutMs });
  });

  it('changes through the log: in force at the append, done at the commit', () => {
    const node = leader();
    const id = setTiming(node, times(2));
    expect(node.core.timing).toMatchObject({ ...times(2) });
    expect(node.answer(id)).toBeUndefined();
    node.acknowledge('b');
    expect(node.answer(id)).toEqual({ outcome: 'done', index: 3, term: 2 });
    expect(node.answer(setTiming(node, times(2)))).toEqual({ outcome: 'done', index: 3, term: 2 });
    node.ask((request) => ({
      type: 'changeMembership',
      id: request,
      change: { type: 'remove', id: 'c' },
      expectedIndex: undefined,
    }));
    expect(node.core.timing).toMatchObject({ ...times(2) });
  });

  it('is refused when no cluster can run with it, or during another change', () => {
    const node = leader();
    expect(node.answer(setTiming(node, { ...own, leaseTimeoutMs: 1 }))).toMatchObject({
      outcome: 'rejected',
      reason: 'invalid-timing',
    });
    setTiming(node, times(2));
    expect(node.answer(setTiming(node, times(3)))).toMatchObject({ reason: 'change-in-progress' });
  });

  it('goes back with the log when the entry is cut off', () => {
    const node = new CoreHarness();
    const changed = new TestLog(abc).addConfiguration(1, { ...abc, timing: times(2) });
    node.receive('b', changed.append(1, 1));
    expect(node.core.timing).toMatchObject({ ...times(2) });
    node.receive('c', new TestLog(abc, [2]).append(2, 1));
    expect(node.core.timing).toEqual(timing);
  });
});

describe('a leader whose timing changes', () => {
  it('uses the new one for its heartbeats and for the loyalty that it asks for', () => {
    const node = leader();
    setTiming(node, times(0.5));
    expect(node.sent('heartbeat').map(({ electionTimeoutMs }) => electionTimeoutMs)).toEqual([150, 150]);
    node.wait(own.heartbeatIntervalMs / 2);
    expect(node.sent('heartbeat')).toHaveLength(2);
  });

  it('has no longer lease before a quorum has promised longer loyalty', () => {
    const node = leader();
    node.wait(own.heartbeatIntervalMs);
    const { round } = node;
    node.confirm('b');
    expect(node.status.leaseRemainingMs).toBe(own.leaseTimeoutMs);
    setTiming(node, times(2));
    expect(node.status.leaseRemainingMs).toBe(0);
    node.confirm('c', { round });
    expect(node.status.leaseRemainingMs).toBe(0);
    node.wait(own.heartbeatIntervalMs);
    expect(node.sent('heartbeat')[0]?.electionTimeoutMs).toBe(2 * own.electionTimeoutMs);
    node.confirm('b');
    expect(node.status.leaseRemainingMs).toBe(2 * own.leaseTimeoutMs);
  });

  it('has the new lease timeout to hear from its quorum again', () => {
    const node = leader();
    node.wait(own.heartbeatIntervalMs);
    node.confirm('b');
    node.wait(own.heartbeatIntervalMs - 1);
    setTiming(node, times(0.1));
    node.wait(0.1 * own.leaseTimeoutMs - 1);
    expect(node.core.role).toBe('leader');
    node.wait(1);
    expect(node.core.role).toBe('follower');
  });

  it('has a shorter lease at once', () => {
    const node = leader();
    node.wait(own.heartbeatIntervalMs);
    node.confirm('b');
    setTiming(node, times(0.5));
    expect(node.status.leaseRemainingMs).toBe(own.leaseTimeoutMs / 2);
  });
});

describe('a follower', () => {
  it('is as loyal as the heartbeat asks, whatever its own log says', () => {
    const node = new CoreHarness();
    node.receive('b', heartbeat(1, { electionTimeoutMs: 2 * own.electionTimeoutMs }));
    node.now += 1.5 * own.electionTimeoutMs;
    node.receive('c', { type: 'preVote', term: 2, requestId: 1, lastIndex: 9, lastTerm: 1 });
    expect(node.sent('preVoteResponse')[0]).toMatchObject({
      granted: false,
      remainingMs: own.electionTimeoutMs / 2,
    });
    expect(node.core.nextDeadlineMs() - node.now).toBeGreaterThanOrEqual(own.electionTimeoutMs / 2);
  });

  it('keeps the longer promise when a heartbeat from before the change comes late', () => {
    const node = new CoreHarness();
    node.receive('b', heartbeat(1, { electionTimeoutMs: 3 * own.electionTimeoutMs, round: 2 }));
    node.now += 1;
    node.receive('b', heartbeat(1, { electionTimeoutMs: own.electionTimeoutMs, round: 1 }));
    node.now += 2 * own.electionTimeoutMs;
    node.receive('c', { type: 'preVote', term: 2, requestId: 1, lastIndex: 9, lastTerm: 1 });
    expect(node.sent('preVoteResponse')[0]).toMatchObject({
      granted: false,
      remainingMs: own.electionTimeoutMs - 1,
    });
    expect(node.core.nextDeadlineMs() - node.now).toBeGreaterThanOrEqual(own.electionTimeoutMs - 1);
  });

  it('waits for the timeout in its own log if that is longer than its promise', () => {
    const node = new CoreHarness();
    node.receive('b', heartbeat(1));
    const slower = new TestLog(abc).addConfiguration(1, { ...abc, timing: times(3) });
    node.receive('b', slower.append(1, 1));
    expect(node.core.nextDeadlineMs() - node.now).toBeGreaterThanOrEqual(3 * own.electionTimeoutMs);
    // Nobody relies on it beyond the promise.
    node.now += own.electionTimeoutMs;
    node.receive('c', { type: 'preVote', term: 2, requestId: 1, lastIndex: 9, lastTerm: 1 });
    expect(node.sent('preVoteResponse')[0]).toMatchObject({ granted: true });
  });

  it('uses its own election timeout again when it has no leader', () => {
    const node = new CoreHarness();
    node.receive('b', heartbeat(1, { electionTimeoutMs: 9 * own.electionTimeoutMs }));
    node.receive('c', { type: 'vote', term: 2, requestId: 1, lastIndex: 9, lastTerm: 1, transferNumber: 1 });
    expect(node.sent('voteResponse')[0]).toMatchObject({ granted: true });
    expect(node.core.nextDeadlineMs() - node.now).toBeLessThan(2 * own.electionTimeoutMs);
  });
});

describe('the shortest times that are legal', () => {
  const shortest: ClusterTiming = {
    heartbeatIntervalMs: 1,
    electionTimeoutMs: 2,
    rankSlotMs: 1,
    jitterMs: 1,
    leaseTimeoutMs: 2,
  };
  const fast = { ...abc, timing: shortest };

  /** Steps that a node asks for at one clock reading, each at the deadline that it returned. */
  const stepsAtOnce = (node: CoreHarness, deadlines: number): number => {
    let most = 0;
    let count = 0;
    for (let step = 0; step < deadlines; step++) {
      const dueMs = node.core.nextDeadlineMs();
      count = dueMs > node.now ? 1 : count + 1;
      most = Math.max(most, count);
      node.now = Math.max(node.now, dueMs);
      node.step({ type: 'tick' });
    }
    return most;
  };
  const started = (): CoreHarness => {
    const founded = new TestLog(fast);
    return new CoreHarness({
      restored: { ...founded.restored({ term: 1 }), configurations: [{ index: 1, configuration: fast }] },
    });
  };

  it('are legal', () => {
    expect(timingProblem(shortest)).toBeUndefined();
  });

  it.each([0, 1 - 2 ** -32])('let no candidate spin, whatever is drawn (%d)', (random) => {
    const node = started();
    node.random = random;
    expect(stepsAtOnce(node, 200)).toBe(1);
    while (node.status.role !== 'candidate') {
      node.campaign();
      node.receive('b', preVoteGranted(node.status.term));
    }
    expect(stepsAtOnce(node, 200)).toBe(1);
    node.receive('b', { ...(preVoteGranted(9) as PreVoteResponse), granted: false });
    expect(stepsAtOnce(node, 200)).toBeLessThanOrEqual(2);
  });

  it('let no leader and no follower spin', () => {
    const node = started();
    node.campaign();
    node.receive('b', preVoteGranted(node.status.term));
    node.receive('b', voteGranted(node.status.term));
    expect(node.status.role).toBe('leader');
    expect(stepsAtOnce(node, 200)).toBeLessThanOrEqual(2);
    const follower = started();
    follower.receive('b', heartbeat(1, { electionTimeoutMs: 0 }));
    expect(stepsAtOnce(follower, 200)).toBe(1);
  });
});

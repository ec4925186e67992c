import { describe, expect, it } from '@jest/globals';
import {
  CoreHarness,
  heartbeat,
  heartbeatAnswer,
  preVoteGranted,
  timing,
  voteGranted,
} from './testing/core-harness.js';
import { configurationOf, TestLog } from './testing/test-log.js';

const log = (...terms: number[]) => new TestLog(configurationOf(['a', 'b', 'c']), terms);

describe('a leader', () => {
  it('steps down when no quorum answers within the lease, counted from the request', () => {
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

  it('never shows a lease beyond the lease timeout, not even after failed elections', () => {
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

import { describe, expect, it } from '@jest/globals';
import { PROBATION_IN_TIMEOUTS } from './membership.js';
import { timing, type CoreHarness } from './testing/core-harness.js';
import { add, change, leaderOf } from './testing/membership-requests.js';

const PROBATION_MS = PROBATION_IN_TIMEOUTS * timing.electionTimeoutMs;

/** Leads for at most this long; these nodes answer each round of heartbeats. Returns how long it led. */
function lead(node: CoreHarness, forMs: number, answering = ''): number {
  const startMs = node.now;
  while (node.now < startMs + forMs && node.status.role === 'leader') {
    node.waitForDeadline();
    for (const from of answering) if (node.status.role === 'leader') node.confirm(from);
  }
  return node.now - startMs;
}

/** `a` leads alone, and makes a voter of `b`, which has the log. */
function second(): { node: CoreHarness; id: number } {
  const node = leaderOf(['a'], ['b']);
  node.acknowledge('b');
  node.wait(timing.heartbeatIntervalMs);
  node.confirm('b');
  return { node, id: change(node, add('b')) };
}

describe('a leader with a new voter', () => {
  it('waits for its first answers, and goes on leading meanwhile', () => {
    const { node, id } = second();
    lead(node, 3 * timing.leaseTimeoutMs);
    expect(node.status.role).toBe('leader');
    node.acknowledge('b');
    expect(node.answer(id)).toMatchObject({ outcome: 'done' });
  });

  it('gets no lease from its silence', () => {
    const { node } = second();
    lead(node, 2 * timing.leaseTimeoutMs);
    expect(node.status).toMatchObject({ role: 'leader', leaseRemainingMs: 0 });
  });

  it('does not wait forever', () => {
    const { node, id } = second();
    expect(lead(node, 1e6)).toBeGreaterThanOrEqual(PROBATION_MS);
    expect(node.now).toBeLessThan(2000 + PROBATION_MS + timing.leaseTimeoutMs);
    expect(node.answer(id)).toMatchObject({ outcome: 'unknown' });
  });

  it("needs its answers once the change is decided and it has answered at the cluster's pace", () => {
    const { node } = second();
    node.wait(timing.heartbeatIntervalMs);
    node.confirm('b');
    lead(node, 2 * timing.leaseTimeoutMs);
    expect(node.status.role).toBe('leader');
    node.acknowledge('b');
    node.wait(timing.heartbeatIntervalMs);
    const { round } = node;
    node.wait(timing.leaseTimeoutMs / 2 + 1);
    node.confirm('b', { round });
    lead(node, 2 * timing.leaseTimeoutMs);
    expect(node.status.role).toBe('leader');
    node.wait(timing.heartbeatIntervalMs);
    node.confirm('b');
    expect(lead(node, 1e6)).toBeLessThanOrEqual(timing.leaseTimeoutMs);
  });

  it('still needs the voters that had a vote before', () => {
    const node = leaderOf(['a', 'b', 'c'], ['d']);
    for (const from of 'bcd') node.acknowledge(from);
    node.wait(timing.heartbeatIntervalMs);
    for (const from of 'bcd') node.confirm(from);
    change(node, add('d'));
    expect(lead(node, 2 * timing.leaseTimeoutMs, 'b')).toBeGreaterThanOrEqual(2 * timing.leaseTimeoutMs);
    expect(lead(node, 1e6)).toBeLessThanOrEqual(timing.leaseTimeoutMs + timing.heartbeatIntervalMs);
  });
});

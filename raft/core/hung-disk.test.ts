import { describe, expect, it } from '@jest/globals';
import { CoreHarness, timing } from './testing/core-harness.js';
import { configurationOf, TestLog } from './testing/test-log.js';

const PATIENCE_MS = 4 * timing.electionTimeoutMs;

/** A ready leader of `a`, `b` and `c` with a write that never ends. */
function leaderWithHungDisk(): CoreHarness {
  const node = CoreHarness.leader(new TestLog(configurationOf(['a', 'b', 'c'])), 2);
  for (const from of 'bc') node.acknowledge(from);
  node.slowDisk = true;
  node.propose();
  for (const from of 'bc') node.acknowledge(from);
  return node;
}

/** Sends heartbeats, which these nodes answer. @returns events and messages of that time */
function lead(node: CoreHarness, forMs: number, answering = 'bc') {
  const events = [];
  const orders = [];
  for (const end = node.now + forMs; node.now < end && node.status.role === 'leader';) {
    node.waitForDeadline();
    events.push(...node.outputs.flatMap((output) => (output.type === 'event' ? [output.event] : [])));
    orders.push(...node.sent('timeoutNow'));
    for (const from of answering) if (node.status.role === 'leader') node.confirm(from);
  }
  return { events, orders };
}

describe('a leader with a write that does not end', () => {
  it('is patient, and commits by its followers meanwhile', () => {
    const node = leaderWithHungDisk();
    expect(node.status.commitIndex).toBe(3);
    expect(lead(node, PATIENCE_MS - 2 * timing.heartbeatIntervalMs)).toEqual({ events: [], orders: [] });
    expect(node.status).toMatchObject({ role: 'leader', transferring: false });
  });

  it('transfers leadership then, to its usual successor, and says why', () => {
    const node = leaderWithHungDisk();
    const { events, orders } = lead(node, PATIENCE_MS + timing.heartbeatIntervalMs);
    expect(events).toMatchObject([{ type: 'diskHangs', successor: orders[0]?.to }]);
    expect(orders).toMatchObject([{ term: 2, lastIndex: 3 }]);
    expect(node.status).toMatchObject({ transferring: true, leaseRemainingMs: 0 });
    const taken = {
      type: 'vote',
      term: 3,
      requestId: 1,
      lastIndex: 3,
      lastTerm: 2,
      transferNumber: 1,
    } as const;
    node.receive(orders[0]?.to as string, taken);
    expect(node.status).toMatchObject({ role: 'follower', term: 3 });
    expect(node.outputs.filter(({ type }) => type === 'answer')).toEqual([]);
  });

  it('steps down when nobody has taken over in time, and cannot win before its disk recovers', () => {
    const node = leaderWithHungDisk();
    const { events } = lead(node, PATIENCE_MS + timing.transferTimeoutMs + 2 * timing.heartbeatIntervalMs);
    expect(events.at(-1)).toMatchObject({ type: 'role', role: 'follower', term: 2 });
    expect(events.at(-1)).toHaveProperty(
      'reason',
      expect.stringMatching(/^a write has not finished for \d+ ms$/),
    );
    node.campaign();
    for (const from of 'bc') {
      node.receive(from, { type: 'preVoteResponse', term: 2, requestId: 0, granted: true, remainingMs: 0 });
      expect(node.sent('vote')).toEqual([]);
    }
    expect(node.status.role).not.toBe('leader');
  });

  it('goes on leading when the write ends, however late', () => {
    const node = leaderWithHungDisk();
    lead(node, PATIENCE_MS - 2 * timing.heartbeatIntervalMs);
    node.finishWrite();
    const { events } = lead(node, PATIENCE_MS);
    expect(events).toEqual([]);
    expect(node.status.role).toBe('leader');
  });

  it('goes on leading while no other voter answers, because nobody else could lead', () => {
    const restored = new TestLog(configurationOf(['a'])).restored();
    const node = new CoreHarness({ restored });
    while (node.status.role !== 'leader') node.waitForDeadline();
    node.slowDisk = true;
    node.propose();
    const { events } = lead(node, 2 * PATIENCE_MS + timing.transferTimeoutMs, '');
    expect(events).toMatchObject([{ type: 'noWork', then: 'stay' }]);
    expect(node.status.role).toBe('leader');
  });

  it('does not touch a transfer that was requested, and answers it', () => {
    const node = leaderWithHungDisk();
    lead(node, PATIENCE_MS - 2 * timing.heartbeatIntervalMs);
    const id = node.ask((request) => ({ type: 'transfer', id: request, to: 'b' }));
    const answers: unknown[] = [];
    for (let count = 0; count < 100 && node.status.role === 'leader'; count++) {
      node.waitForDeadline();
      if (node.answer(id)) answers.push(node.answer(id));
      for (const from of 'bc') if (node.status.role === 'leader') node.confirm(from);
    }
    expect(answers).toMatchObject([{ outcome: 'unknown' }]);
    expect(node.status.role).toBe('follower');
  });
});

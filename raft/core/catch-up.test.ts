import { describe, expect, it } from '@jest/globals';
import { CoreHarness, heartbeat, timing } from './testing/core-harness.js';
import { configurationOf, TestLog } from './testing/test-log.js';

const members = configurationOf(['a', 'b', 'c'], ['n']);

function leader(): CoreHarness {
  const node = CoreHarness.leader(new TestLog(members), 2);
  for (const from of 'bc') node.acknowledge(from);
  return node;
}

const prepare = (node: CoreHarness, to: string): number =>
  node.ask((id) => ({ type: 'prepareTransfer', id, to }));

describe('the preparation of a transfer', () => {
  it('is done at once when the target has everything', () => {
    const node = leader();
    expect(node.answer(prepare(node, 'b'))).toEqual({ outcome: 'done', index: 2, term: 2 });
    expect(node.sent('timeoutNow')).toEqual([]);
    expect(node.status).toMatchObject({ role: 'leader', transferring: false });
  });

  it('is done when the target has what was in the log, even if more entries follow', () => {
    const node = leader();
    node.propose();
    const id = prepare(node, 'b');
    expect(node.answer(node.propose())).toBeUndefined();
    node.acknowledge('b', 3);
    expect(node.answer(id)).toEqual({ outcome: 'done', index: 3, term: 2 });
    expect(node.status.lastIndex).toBe(4);
  });

  it('ends at its deadline, and says what the target lacks', () => {
    const node = leader();
    node.propose();
    const startMs = node.now;
    const [id, other] = [prepare(node, 'b'), prepare(node, 'c')];
    node.acknowledge('c');
    expect(node.answer(other)).toMatchObject({ outcome: 'done' });
    while (!node.answer(id)) {
      node.waitForDeadline();
      if (!node.answer(id)) for (const from of 'bc') node.confirm(from, { lastIndex: 3 });
    }
    expect(node.now - startMs).toBeGreaterThanOrEqual(timing.transferTimeoutMs);
    expect(node.now - startMs).toBeLessThan(timing.transferTimeoutMs + timing.heartbeatIntervalMs);
    expect(node.answer(id)).toEqual({
      outcome: 'rejected',
      reason: 'transfer-timeout',
      detail: 'b did not catch up in time (disk)',
    });
  });

  it.each([
    ['a', 'already-leader'],
    ['n', 'not-a-voter'],
    ['x', 'no-such-member'],
  ])('is refused for %s: %s', (to, reason) => {
    const node = leader();
    expect(node.answer(prepare(node, to))).toMatchObject({ outcome: 'rejected', reason });
  });

  it('ends with the leadership, without effect', () => {
    const node = leader();
    node.propose();
    const id = prepare(node, 'b');
    node.receive('c', heartbeat(3));
    expect(node.answer(id)).toMatchObject({ outcome: 'rejected', reason: 'not-leader' });
    expect(node.answer(prepare(node, 'b'))).toMatchObject({ outcome: 'rejected', reason: 'not-leader' });
  });

  it('ends when the target is no longer a voter', () => {
    const node = leader();
    node.propose();
    const id = prepare(node, 'b');
    node.acknowledge('c');
    node.ask((request) => ({
      type: 'changeMembership',
      id: request,
      change: { type: 'demote', id: 'b' },
      expectedIndex: undefined,
      force: true,
    }));
    node.waitForDeadline();
    expect(node.answer(id)).toMatchObject({ outcome: 'rejected', reason: 'not-a-voter' });
  });
});

import { describe, expect, it } from '@jest/globals';
import type { HeartbeatResponse } from './messages.js';
import { heartbeat, CoreHarness, timing } from './testing/core-harness.js';
import { configurationOf, TestLog } from './testing/test-log.js';

/** The leader `a` of five voters and a non-voter, after one round of answers. */
function leader(told: Partial<Record<string, Partial<HeartbeatResponse>>> = {}): CoreHarness {
  const node = CoreHarness.leader(new TestLog(configurationOf([...'abcde'], ['n'])), 2);
  for (const from of 'bcde') node.acknowledge(from);
  answer(node, told);
  return node;
}

function answer(
  node: CoreHarness,
  told: Partial<Record<string, Partial<HeartbeatResponse>>>,
  who = 'bcden',
): void {
  node.wait(timing.heartbeatIntervalMs);
  for (const from of who) node.confirm(from, told[from] ?? {});
}

/** Ids in the order of the ranks of the next heartbeats. */
function published(node: CoreHarness): string {
  node.wait(timing.heartbeatIntervalMs);
  const ranked = node.sent('heartbeat').sort((a, b) => a.rank - b.rank);
  expect(ranked.map(({ rank }) => rank)).toEqual(ranked.map((_, place) => place));
  return ranked.map(({ to }) => to).join('');
}

describe('the succession that a leader publishes', () => {
  it('gives each follower another rank, non-voters after all others', () => {
    expect(published(leader())).toBe('debcn');
  });

  it('turns with the term among equals', () => {
    const node = CoreHarness.leader(new TestLog(configurationOf([...'abcde'], ['n'])), 3);
    for (const from of 'bcde') node.acknowledge(from);
    answer(node, {});
    expect(published(node)).toBe('ebcdn');
  });

  it('is by fitness first, then by priority; unfit nodes come last but have their place', () => {
    const fit = { eligibility: 9 };
    const told = {
      b: { eligibility: 0, priority: 9 },
      c: fit,
      d: { ...fit, priority: 1 },
      e: { eligibility: 5 },
    };
    expect(published(leader(told))).toBe('dcebn');
  });

  it('puts those who lack what is committed behind their equals, whatever their priority', () => {
    const node = leader({ b: { priority: 5 }, c: { priority: 3 } });
    expect(published(node)).toBe('bcden');
    node.propose();
    for (const from of 'cde') node.acknowledge(from);
    expect(node.status.commitIndex).toBe(3);
    answer(node, { b: { priority: 5 }, c: { priority: 3 } });
    expect(published(node)).toBe('cdebn');
  });

  it('puts those who do not answer behind those who do', () => {
    const node = leader({ b: { eligibility: 9 } });
    expect(published(node)).toBe('bdecn');
    while (node.now < 1000 + 2 * timing.electionTimeoutMs + timing.leaseTimeoutMs) answer(node, {}, 'cde');
    expect(published(node)).toBe('decbn');
  });

  it('names the successor of a transfer, and shows in the status', () => {
    const node = leader({ c: { priority: 1 } });
    expect(node.status.peers.map(({ id, priority, rank }) => [id, priority, rank])).toEqual([
      ['b', 0, 3],
      ['c', 1, 0],
      ['d', 0, 1],
      ['e', 0, 2],
      ['n', 0, undefined],
    ]);
    node.ask((id) => ({ type: 'transfer', id, to: undefined }));
    expect(node.sent('timeoutNow')[0]?.to).toBe('c');
  });

  it('carries the configured priority to the leader', () => {
    const node = new CoreHarness({ priority: 4 });
    node.receive('b', heartbeat(1));
    expect(node.sent('heartbeatResponse')[0]?.priority).toBe(4);
  });
});

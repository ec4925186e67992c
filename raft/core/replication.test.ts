import { describe, expect, it } from '@jest/globals';
import { appended, heartbeat, CoreHarness, timing } from './testing/core-harness.js';
import { configurationOf, TestLog } from './testing/test-log.js';

const members = configurationOf(['a', 'b', 'c']);
const log = (...terms: number[]) => new TestLog(members, terms);

describe('a leader', () => {
  it('sends the entry while its own disk is still busy with it (Raft thesis §10.2.1)', () => {
    const node = CoreHarness.leader(log(), 2);
    node.acknowledge('b');
    node.slowDisk = true;
    node.propose();
    expect(node.sent('append').map(({ to, prevIndex }) => [to, prevIndex])).toEqual([['b', 2]]);
    expect(node.status.commitIndex).toBe(2);
    node.finishWrite();
    expect(node.status.commitIndex).toBe(2);
    node.acknowledge('b');
    expect(node.status.commitIndex).toBe(3);
  });

  it('counts its own disk like any other: followers alone can commit', () => {
    const node = CoreHarness.leader(log(), 2);
    node.acknowledge('b');
    node.slowDisk = true;
    const id = node.propose();
    node.acknowledge('b');
    expect(node.status.commitIndex).toBe(2);
    node.acknowledge('c');
    expect(node.answer(id)).toEqual({ outcome: 'done', index: 3, term: 2 });
  });

  it('commits nothing of an earlier term by counting (figure 8)', () => {
    const node = CoreHarness.leader(log(2, 2), 4);
    for (const from of 'bc') node.acknowledge(from, 3);
    expect(node.status.commitIndex).toBe(0);
    node.acknowledge('b', 4);
    expect(node.status).toMatchObject({ commitIndex: 4, ready: true });
  });

  it('looks for the common point by terms, not one by one', () => {
    const node = CoreHarness.leader(log(1, 1, 4, 4, 4, 5), 6);
    const probe = node.sent('append').find(({ to }) => to === 'b');
    expect(probe?.prevIndex).toBe(7);
    node.refuse('b', 4, 2);
    expect(node.sent('append')[0]).toMatchObject({ to: 'b', prevIndex: 3 });
  });

  it('has no more requests in flight than allowed, and none twice', () => {
    const node = CoreHarness.leader(log(), 2, { limits: { inflightRequestsMax: 2, appendBytesMax: 1 } });
    node.acknowledge('b');
    const sent: number[] = [];
    for (let count = 0; count < 5; count++) {
      node.propose();
      sent.push(...node.sent('append').map(({ prevIndex }) => prevIndex));
    }
    expect(sent).toEqual([2, 3]);
    node.acknowledge('b', 4);
    expect(node.sent('append').map(({ prevIndex }) => prevIndex)).toEqual([4, 5]);
  });

  it('probes with big entries left out, so that a lost probe costs little', () => {
    const big = new TestLog(members).add(1, 'command', new Uint8Array(100_000)).add(1);
    const node = CoreHarness.leader(big, 2);
    node.refuse('b', 2);
    expect(node.sent('append')).toMatchObject([{ prevIndex: 1, entries: [] }]);
    node.acknowledge('b', 1);
    expect(node.sent('append')[0]?.entries.map(({ index }) => index)).toEqual([2, 3, 4]);
  });

  it('goes back to what is acknowledged when a request is lost, and not at once', () => {
    const node = CoreHarness.leader(log(), 2);
    node.acknowledge('b');
    node.propose();
    const [request] = node.sent('append');
    node.step({ type: 'requestFailed', to: 'b', requestId: request?.requestId ?? 0 });
    expect(node.sent('append')).toEqual([]);
    node.wait(timing.heartbeatIntervalMs);
    expect(node.sent('append').find(({ to }) => to === 'b')).toMatchObject({ prevIndex: 2 });
  });

  it('goes on when a request fails that was already answered', () => {
    const node = CoreHarness.leader(log(), 2);
    node.acknowledge('b');
    node.propose();
    const requestId = node.sent('append').find(({ to }) => to === 'b')?.requestId ?? 0;
    node.acknowledge('b');
    node.step({ type: 'requestFailed', to: 'b', requestId });
    node.propose();
    expect(node.sent('append').filter(({ to }) => to === 'b')).toMatchObject([{ prevIndex: 3 }]);
  });

  it('gives up a request that never ends', () => {
    const node = CoreHarness.leader(log(), 2);
    node.acknowledge('b');
    node.propose();
    const repeated = () => node.sent('append').some(({ to }) => to === 'b');
    let waited = 0;
    while (!repeated() || waited === 0) {
      node.confirm('c');
      node.wait(timing.heartbeatIntervalMs);
      waited += timing.heartbeatIntervalMs;
      if (waited > 2 * timing.requestTimeoutMs) throw new Error('never sent again');
    }
    expect(waited).toBeGreaterThanOrEqual(timing.requestTimeoutMs);
  });

  it('believes no answer of an earlier term', () => {
    const node = CoreHarness.leader(log(1, 1), 4);
    node.receive('b', { ...appended, term: 3, matchIndex: 4 });
    expect(node.status.peers.find(({ id }) => id === 'b')?.matchIndex).toBe(0);
  });

  it('takes no more proposals than may wait for a commit', () => {
    const node = CoreHarness.leader(log(), 2, { limits: { uncommittedEntriesMax: 2 } });
    for (let count = 0; count < 2; count++) node.propose();
    const id = node.propose();
    expect(node.answer(id)).toMatchObject({ outcome: 'rejected', reason: 'too-many-uncommitted' });
    node.acknowledge('b');
    expect(node.answer(node.propose())).toBeUndefined();
  });

  it('counts the bytes that wait, but takes one proposal of any size', () => {
    const node = CoreHarness.leader(log(), 2, { limits: { uncommittedBytesMax: 10 } });
    expect(node.answer(node.propose('much longer than ten'))).toBeUndefined();
    expect(node.answer(node.propose('x'))).toMatchObject({ reason: 'too-many-uncommitted' });
  });

  it('answers "unknown" for what it cannot know when it loses its leadership', () => {
    const node = CoreHarness.leader(log(), 2);
    const id = node.propose();
    node.receive('b', heartbeat(3));
    expect(node.answer(id)?.outcome).toBe('unknown');
    expect(node.answer(node.propose())).toMatchObject({ outcome: 'rejected', reason: 'not-leader' });
  });

  it('tells a follower to commit only what that follower has', () => {
    const node = CoreHarness.leader(log(), 2);
    node.acknowledge('b');
    node.wait(timing.heartbeatIntervalMs);
    expect(node.sent('heartbeat').map(({ to, commit }) => [to, commit])).toEqual([
      ['b', 2],
      ['c', 0],
    ]);
  });
});

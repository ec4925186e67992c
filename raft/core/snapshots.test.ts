import { describe, expect, it } from '@jest/globals';
import type { SnapshotRequest } from './messages.js';
import { heartbeat, CoreHarness, timing } from './testing/core-harness.js';
import { configurationOf, TestLog } from './testing/test-log.js';

const members = configurationOf(['a', 'b', 'c']);
const data = new Uint8Array([1, 2, 3]);
const log = (...terms: number[]) => new TestLog(members, terms);

const snapshotOf = (from: TestLog, index: number, term: number): SnapshotRequest => ({
  type: 'snapshot',
  term,
  requestId: 3,
  snapshot: { ...from.snapshotAt(index), data },
});

describe('compaction', () => {
  const applied = (options = {}): CoreHarness => {
    const node = new CoreHarness({ restored: log(1, 1, 1).restored({ commit: 3 }), ...options });
    node.step({ type: 'applied', index: 3 });
    return node;
  };

  it('replaces the beginning of the log by a snapshot, with the membership of that index', () => {
    const node = applied();
    node.slowDisk = true;
    node.step({ type: 'compact', index: 2, data });
    expect(node.writing).toMatchObject({
      resetLog: false,
      snapshot: { index: 2, term: 1, data, configuration: { index: 1, configuration: members } },
    });
    expect(node.status).toMatchObject({ snapshotIndex: 2, lastIndex: 4 });
    expect(node.core.entry(2)).toBeUndefined();
    expect(node.core.termAt(2)).toBe(1);
  });

  it('does not touch what is already compacted or not yet on disk', () => {
    const node = applied();
    node.step({ type: 'compact', index: 2, data });
    node.step({ type: 'compact', index: 1, data });
    expect(node.status.snapshotIndex).toBe(2);
    const slow = applied({ slowDisk: true });
    slow.receive('b', log(1, 1, 1, 1).append(1, 4, 5, 5));
    slow.step({ type: 'applied', index: 5 });
    slow.step({ type: 'compact', index: 5, data });
    expect(slow.status.snapshotIndex).toBe(0);
  });

  it('ends the process when it would delete entries that are not applied', () => {
    const node = applied();
    node.step({ type: 'compact', index: 4, data });
    expect(node.halted()).toMatch(/beyond applied/);
  });
});

describe('a leader whose log does not reach back', () => {
  it('sends its snapshot, then the rest', () => {
    const node = CoreHarness.leader(log(1, 1), 2);
    node.acknowledge('b');
    node.step({ type: 'applied', index: 4 });
    node.step({ type: 'compact', index: 3, data });
    node.refuse('c', 1);
    expect(node.sent('snapshot')).toMatchObject([{ to: 'c', snapshot: { index: 3, data: undefined } }]);
    node.receive('c', { type: 'snapshotResponse', term: 2, requestId: 0, matchIndex: 3 });
    expect(node.sent('append')).toMatchObject([{ to: 'c', prevIndex: 3, entries: [{ index: 4 }] }]);
  });
});

describe('a snapshot from the leader', () => {
  it('replaces the log and the state, and is acknowledged when it is on disk', () => {
    const node = new CoreHarness({ restored: log(1).restored(), slowDisk: true });
    node.receive('b', snapshotOf(log(1, 2, 2), 4, 2));
    expect(node.outputs).toContainEqual(expect.objectContaining({ type: 'restore' }));
    expect(node.writing).toMatchObject({ resetLog: true, snapshot: { index: 4, data }, entries: [] });
    expect(node.status).toMatchObject({ snapshotIndex: 4, lastIndex: 4, commitIndex: 4, appliedIndex: 4 });
    expect(node.sent('snapshotResponse', node.finishWrite())).toMatchObject([{ to: 'b', matchIndex: 4 }]);
  });

  it('drops a log that conflicts with it', () => {
    const node = new CoreHarness({ restored: log(1, 1, 1, 1).restored() });
    node.receive('b', snapshotOf(log(2, 2), 3, 2));
    expect(node.status).toMatchObject({ snapshotIndex: 3, lastIndex: 3 });
    node.receive('b', log(2, 2, 2).append(2, 3));
    expect(node.terms()).toEqual([2]);
  });

  it('installs nothing that the log holds already, and keeps what follows', () => {
    const node = new CoreHarness({ restored: log(1, 1, 1).restored() });
    node.receive('b', snapshotOf(log(1, 1, 1), 3, 2));
    expect(node.outputs.some(({ type }) => type === 'restore')).toBe(false);
    expect(node.status).toMatchObject({ snapshotIndex: 0, commitIndex: 3, lastIndex: 4 });
    expect(node.sent('snapshotResponse')[0]?.matchIndex).toBe(3);
  });

  it('never moves the state back', () => {
    const node = new CoreHarness({ restored: log(1, 1, 1).restored({ commit: 4 }) });
    node.receive('b', snapshotOf(log(1), 2, 2));
    expect(node.status).toMatchObject({ snapshotIndex: 0, commitIndex: 4 });
    expect(node.sent('snapshotResponse')[0]?.matchIndex).toBe(4);
  });

  it('of a term that is over is refused', () => {
    const node = new CoreHarness({ restored: log().restored({ term: 5 }) });
    node.receive('b', snapshotOf(log(2), 2, 2));
    expect(node.sent('snapshotResponse')[0]).toMatchObject({ term: 5, matchIndex: 0 });
    expect(node.status.snapshotIndex).toBe(0);
  });

  it('brings the membership with it', () => {
    const node = new CoreHarness({ restored: log().restored() });
    const other = new TestLog(configurationOf(['b', 'c']), [2, 2]);
    node.receive('b', snapshotOf(other, 3, 2));
    expect(node.status.configuration.configuration).toEqual(configurationOf(['b', 'c']));
    node.receive('b', heartbeat(2));
    node.wait(10 * timing.electionTimeoutMs);
    expect(node.core.nextDeadlineMs()).toBe(Infinity);
  });
});

describe('data of applied entries', () => {
  it('leaves memory when the cache is full, but keeps its header', () => {
    const node = new CoreHarness({ limits: { cacheBytesMax: 3 } });
    const leader = log(1, 1, 1);
    node.receive('b', leader.append(1, 1, 4, 4));
    node.step({ type: 'applied', index: 3 });
    expect([2, 3, 4].map((index) => node.core.entry(index)?.data !== undefined)).toEqual([
      false,
      false,
      true,
    ]);
    expect(node.core.entry(2)?.chainHash).toBe(leader.at(2).chainHash);
  });
});

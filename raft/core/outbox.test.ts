import { describe, expect, it } from '@jest/globals';
import { RaftLog } from './log.js';
import type { Message } from './messages.js';
import { Outbox } from './outbox.js';
import { appended, heartbeat, CoreHarness } from './testing/core-harness.js';
import { configurationOf, TestLog } from './testing/test-log.js';

const members = configurationOf(['a', 'b', 'c']);
const hard = { term: 1, votedFor: null, commit: 0 };
const message: Message = { ...appended, term: 1, matchIndex: 1 };

/** An outbox over a log whose first entries are on disk. */
function outboxOver(log: TestLog, durable: number) {
  const raftLog = RaftLog.fromSnapshot(null, log.entries.slice(0, durable));
  const outbox = new Outbox(raftLog);
  for (const entry of log.entries.slice(durable)) raftLog.append(entry);
  return { outbox, raftLog };
}

describe('the outbox', () => {
  it('writes nothing when nothing changed, and lets messages go', () => {
    const { outbox } = outboxOver(new TestLog(members), 1);
    expect(outbox.nextWrite(hard)).toBeUndefined();
    expect(outbox.hold('b', message, 'everything')).toBe(false);
  });

  it('has one write in progress and gathers the rest for the next', () => {
    const log = new TestLog(members, [1, 1, 1]);
    const { outbox, raftLog } = outboxOver(new TestLog(members, [1]), 1);
    expect(outbox.nextWrite(hard)?.entries.map(({ index }) => index)).toEqual([2]);
    for (const index of [3, 4]) raftLog.append(log.at(index));
    outbox.hardStateChanged();
    expect(outbox.nextWrite(hard)).toBeUndefined();
    outbox.stored(1);
    const second = outbox.nextWrite({ ...hard, term: 2 });
    expect(second).toMatchObject({ seq: 2, hardState: { term: 2 } });
    expect(second?.entries.map(({ index }) => index)).toEqual([3, 4]);
  });

  it('holds each message until the write that it reports is done, and no longer', () => {
    const { outbox, raftLog } = outboxOver(new TestLog(members, [1]), 1);
    outbox.nextWrite(hard);
    expect(outbox.hold('b', message, 'term')).toBe(false);
    expect(outbox.hold('b', message, 'everything')).toBe(true);
    raftLog.append(new TestLog(members, [1, 1]).at(3));
    expect(outbox.hold('c', message, 'everything')).toBe(true);
    expect(outbox.stored(1).map(({ to }) => to)).toEqual(['b']);
    outbox.nextWrite(hard);
    expect(outbox.stored(2).map(({ to }) => to)).toEqual(['c']);
  });

  it('holds everything back that follows a change of term', () => {
    const { outbox } = outboxOver(new TestLog(members), 1);
    outbox.hardStateChanged();
    expect(outbox.hold('b', message, 'term')).toBe(true);
    outbox.nextWrite(hard);
    expect(outbox.hold('c', message, 'term')).toBe(true);
    expect(outbox.stored(1).map(({ to }) => to)).toEqual(['b', 'c']);
  });

  it('ignores the completion of another write', () => {
    const { outbox } = outboxOver(new TestLog(members, [1]), 1);
    outbox.nextWrite(hard);
    outbox.stored(7);
    expect(outbox.durableIndex).toBe(1);
    outbox.stored(1);
    expect(outbox.durableIndex).toBe(2);
  });

  it('counts nothing as durable that was cut while it was written (ABA)', () => {
    const { outbox, raftLog } = outboxOver(new TestLog(members, [1, 1]), 1);
    outbox.nextWrite(hard);
    raftLog.truncateFrom(3);
    outbox.logTruncated(3);
    raftLog.append(new TestLog(members, [1, 2]).at(3));
    outbox.stored(1);
    expect(outbox.durableIndex).toBe(2);
    const next = outbox.nextWrite({ ...hard, term: 2 });
    expect(next).toMatchObject({ truncateFrom: 3 });
    expect(next?.entries.map(({ index, term }) => [index, term])).toEqual([[3, 2]]);
    outbox.stored(2);
    expect(outbox.durableIndex).toBe(3);
  });

  it('counts nothing as durable that a snapshot replaced while it was written', () => {
    const { outbox, raftLog } = outboxOver(new TestLog(members, [1, 1]), 1);
    outbox.nextWrite(hard);
    const snapshot = new TestLog(members, [2, 2, 2]).snapshotAt(4);
    raftLog.reset(snapshot);
    outbox.logReset({ ...snapshot, data: new Uint8Array(0) });
    outbox.stored(1);
    expect(outbox.durableIndex).toBe(0);
    expect(outbox.nextWrite({ ...hard, term: 2 })).toMatchObject({ resetLog: true, entries: [] });
    outbox.stored(2);
    expect(outbox.durableIndex).toBe(4);
  });

  it('cuts nothing on disk that was never written', () => {
    const { outbox, raftLog } = outboxOver(new TestLog(members, [1, 1]), 1);
    raftLog.truncateFrom(3);
    outbox.logTruncated(3);
    expect(outbox.nextWrite(hard)).toMatchObject({ truncateFrom: undefined });
  });
});

describe('a node with a slow disk', () => {
  it('acknowledges the new entry at an index, never the one that it replaced', () => {
    const node = new CoreHarness({ slowDisk: true });
    node.receive('b', new TestLog(members, [2]).append(2, 1));
    node.finishWrite();
    if (node.writing) node.finishWrite();
    node.receive('b', new TestLog(members, [2, 2]).append(2, 2));
    const underWay = node.writing;
    node.receive('c', new TestLog(members, [2, 3]).append(3, 2));
    expect(node.writing).toBe(underWay);
    expect(node.sent('appendResponse', node.finishWrite())).toEqual([]);
    expect(node.writing).toMatchObject({ truncateFrom: 3, hardState: { term: 3 } });
    expect(node.sent('appendResponse', node.finishWrite())).toMatchObject([
      { to: 'c', term: 3, success: true, matchIndex: 3 },
    ]);
  });

  it('drops answers of a term that is over', () => {
    const node = new CoreHarness({ slowDisk: true });
    node.receive('b', heartbeat(2));
    node.receive('c', heartbeat(3));
    const outputs = [...node.finishWrite(), ...node.finishWrite()];
    expect(node.sent('heartbeatResponse', outputs).map(({ to, term }) => [to, term])).toEqual([['c', 3]]);
  });

  it('writes term, truncation and entries in one batch', () => {
    const node = new CoreHarness({ slowDisk: true, restored: new TestLog(members, [1, 1]).restored() });
    node.receive('b', new TestLog(members, [2]).append(2, 1));
    expect(node.writing).toMatchObject({ hardState: { term: 2 }, truncateFrom: 2, resetLog: false });
    expect(node.writing?.entries.map(({ index }) => index)).toEqual([2]);
  });
});

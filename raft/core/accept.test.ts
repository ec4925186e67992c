import { describe, expect, it } from '@jest/globals';
import { heartbeat, CoreHarness } from './testing/core-harness.js';
import { configurationOf, TestLog } from './testing/test-log.js';

const members = configurationOf(['a', 'b', 'c']);
const log = (...terms: number[]) => new TestLog(members, terms);

const response = (node: CoreHarness) => node.sent('appendResponse')[0];

describe('a follower', () => {
  it('takes what follows its log, and acknowledges it when it is on disk', () => {
    const leader = log(2, 2);
    const node = new CoreHarness({ slowDisk: true });
    node.receive('b', leader.append(2, 1));
    // The term comes first; the entries follow in the next write.
    while (!response(node)) node.finishWrite();
    expect(response(node)).toMatchObject({ success: true, matchIndex: 3 });
    expect(node.terms()).toEqual([1, 2, 2]);
  });

  it('refuses what does not reach its end, and says where that is', () => {
    const node = new CoreHarness({ restored: log(1).restored() });
    node.receive('b', log(1, 2, 2).append(2, 3));
    expect(response(node)).toMatchObject({ success: false, conflictIndex: 3, conflictTerm: 0 });
  });

  it('refuses a conflict with the first index of its own term there (Raft thesis §3.5)', () => {
    const node = new CoreHarness({ restored: log(1, 2, 2, 2).restored() });
    node.receive('b', log(1, 1, 1, 3, 3).append(3, 4));
    expect(response(node)).toMatchObject({ success: false, conflictIndex: 3, conflictTerm: 2 });
  });

  it('replaces entries that conflict', () => {
    const node = new CoreHarness({ restored: log(1, 2, 2, 2).restored() });
    node.receive('b', log(1, 3).append(3, 2));
    expect(node.terms()).toEqual([1, 1, 3]);
    expect(response(node)).toMatchObject({ success: true, matchIndex: 3 });
  });

  it('keeps what it has when a shorter or older message comes late', () => {
    const leader = log(1, 2, 2, 2);
    const node = new CoreHarness({ restored: leader.restored() });
    node.receive('b', leader.append(2, 1, 3));
    expect(response(node)).toMatchObject({ success: true, matchIndex: 3 });
    expect(node.terms()).toEqual([1, 1, 2, 2, 2]);
  });

  it('passes over entries that its snapshot holds already', () => {
    const leader = log(1, 1, 1, 1);
    const node = new CoreHarness({ restored: log(1, 1).restored({ commit: 3 }) });
    node.step({ type: 'applied', index: 3 });
    node.step({ type: 'compact', index: 3, data: new Uint8Array(0) });
    node.receive('b', leader.append(1, 1));
    expect(response(node)).toMatchObject({ success: true, matchIndex: 5 });
    expect(node.status).toMatchObject({ snapshotIndex: 3, lastIndex: 5 });
  });

  it('refuses a leader whose term is over, and tells it the new one', () => {
    const node = new CoreHarness({ restored: log().restored({ term: 5 }) });
    node.receive('b', log(2).append(2, 1));
    expect(response(node)).toMatchObject({ success: false, term: 5 });
    expect(node.status.lastIndex).toBe(1);
  });

  it('commits no more than the message has proven', () => {
    const node = new CoreHarness({ restored: log(1, 2, 2).restored() });
    node.receive('b', log(1, 3, 3).append(3, 1, 2, 4));
    expect(node.status.commitIndex).toBe(2);
    node.receive('b', heartbeat(3, { commit: 99 }));
    expect(node.status.commitIndex).toBeLessThanOrEqual(node.status.lastIndex);
  });

  it('ends the process rather than cut what is committed', () => {
    const node = new CoreHarness({ restored: log(1, 2).restored({ commit: 3 }) });
    node.receive('b', log(1, 3).append(3, 2));
    expect(node.halted()).toMatch(/below commit 3/);
  });

  it('ends the process when the same entry has other content', () => {
    const node = new CoreHarness({ restored: log(1, 2).restored() });
    const other = new TestLog(members).add(1, 'command', new Uint8Array([9])).add(2);
    node.receive('b', other.append(2, 2));
    expect(node.halted()).toMatch(/differs from that of b/);
  });
});

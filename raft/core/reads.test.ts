import { describe, expect, it } from '@jest/globals';
import { heartbeat, CoreHarness } from './testing/core-harness.js';
import { configurationOf, TestLog } from './testing/test-log.js';

const newLeader = (voters = ['a', 'b', 'c']): CoreHarness =>
  CoreHarness.leader(new TestLog(configurationOf(voters)), 2);
const leader = (voters?: string[]): CoreHarness => {
  const node = newLeader(voters);
  node.acknowledge('b');
  return node;
};
const read = (node: CoreHarness): number => node.ask((id) => ({ type: 'read', id }));

describe('a linearizable read (Raft thesis §6.4)', () => {
  it('is answered with what was committed when it came, once a majority has confirmed the leader since', () => {
    const node = leader();
    const id = read(node);
    node.propose();
    node.acknowledge('c');
    expect(node.status.commitIndex).toBe(3);
    node.confirm('b');
    expect(node.answer(id)).toEqual({ outcome: 'done', index: 2, term: 2 });
  });

  it('is not confirmed by an answer to an earlier round, but by one to a later', () => {
    const node = leader();
    const id = read(node);
    for (const from of 'bc') node.confirm(from, { round: node.round - 1 });
    expect(node.answer(id)).toBeUndefined();
    const later = read(node);
    node.confirm('c');
    expect([id, later].map((each) => node.answer(each)?.outcome)).toEqual(['done', 'done']);
  });

  it('is not confirmed by an answer to a heartbeat of an earlier term with the same round number', () => {
    const follower = new CoreHarness();
    follower.receive('b', heartbeat(2));
    follower.receive('b', heartbeat(1, { round: 7 }));
    expect(follower.sent('heartbeatResponse')).toMatchObject([{ term: 2, round: 0 }]);
  });

  it('waits for the first commit of the term: before it a leader does not know what is committed', () => {
    const node = newLeader();
    const id = read(node);
    node.confirm('b');
    expect(node.answer(id)).toBeUndefined();
    node.acknowledge('b');
    node.confirm('b');
    expect(node.answer(id)).toMatchObject({ outcome: 'done', index: 2 });
  });

  it('is refused when the leadership ends first', () => {
    const node = leader();
    const id = read(node);
    node.receive('c', heartbeat(3));
    expect(node.answer(id)).toMatchObject({ outcome: 'rejected', reason: 'not-leader' });
    expect(node.answer(read(node))).toMatchObject({ outcome: 'rejected', reason: 'not-leader' });
  });

  it('needs nobody else in a cluster of one', () => {
    const node = CoreHarness.leader(new TestLog(configurationOf(['a'])), 2);
    expect(node.answer(read(node))).toMatchObject({ outcome: 'done', index: 2 });
  });

  it('does not hang when the leader becomes the only voter meanwhile', () => {
    const node = leader(['a', 'b']);
    const id = read(node);
    const change = { type: 'remove', id: 'b' } as const;
    node.ask((request) => ({ type: 'changeMembership', id: request, change, expectedIndex: undefined }));
    expect(node.status.peers).toEqual([]);
    expect(node.answer(id)).toMatchObject({ outcome: 'done', index: 2 });
  });
});

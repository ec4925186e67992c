import { describe, expect, it } from '@jest/globals';
import type { MembershipChange } from './configuration-change.js';
import { decodeConfiguration } from './configuration.js';
import { CoreHarness, heartbeat, preVoteGranted, timing, voteGranted } from './testing/core-harness.js';
import { add, change, leaderOf, votersBy } from './testing/membership-requests.js';
import { configurationOf, member, TestLog } from './testing/test-log.js';

describe('a replacement', () => {
  const replace = (id: string, by: string): MembershipChange => ({ type: 'replace', id, by: member(by) });
  const joint = (node: CoreHarness) => node.status.configuration.configuration.joint;
  const began = (): { node: CoreHarness; id: number } => {
    const node = leaderOf(['a', 'b', 'c'], ['d']);
    node.acknowledge('d');
    return { node, id: change(node, replace('c', 'd')) };
  };

  it('is decided by majorities of the old and of the new voters (Raft thesis §4.3)', () => {
    const { node } = began();
    expect(joint(node)).toEqual({ voters: ['a', 'b', 'c'], leaving: ['c'] });
    expect(votersBy(node)).toEqual(['a', 'b', 'd']);
    node.acknowledge('c');
    expect(node.status.commitIndex).toBe(2);
    node.acknowledge('d');
    expect(node.status.commitIndex).toBe(3);
  });

  it('is not decided by the new voters alone', () => {
    const node = leaderOf(['a', 'b', 'c'], ['d', 'e']);
    for (const from of 'de') node.acknowledge(from);
    change(node, replace('c', 'd'));
    node.acknowledge('d');
    expect(node.status.commitIndex).toBe(2);
  });

  it('is completed by itself, and done only then', () => {
    const { node, id } = began();
    node.acknowledge('b');
    expect(node.answer(id)).toBeUndefined();
    expect(node.status).toMatchObject({ lastIndex: 4, commitIndex: 3, configuration: { index: 4 } });
    expect(joint(node)).toBeUndefined();
    expect(node.status.configuration.configuration.members.map((each) => each.id)).toEqual(['a', 'b', 'd']);
    node.acknowledge('d');
    expect(node.answer(id)).toEqual({ outcome: 'done', index: 4, term: 2 });
    expect(node.status.peers.map((peer) => peer.id)).toEqual(['b', 'd']);
  });

  it('admits no other change before it is complete', () => {
    const { node } = began();
    expect(node.answer(change(node, add('e')))).toMatchObject({ reason: 'change-in-progress' });
    node.acknowledge('b');
    expect(node.answer(change(node, add('e')))).toMatchObject({ reason: 'change-in-progress' });
    node.acknowledge('b');
    expect(node.answer(change(node, add('e')))).toBeUndefined();
  });

  it('is reported as unknown when leadership is lost in between', () => {
    const { node, id } = began();
    node.receive('b', heartbeat(9));
    expect(node.answer(id)).toMatchObject({ outcome: 'unknown' });
  });

  const half = new TestLog(configurationOf(['a', 'b', 'c'], ['d'])).addConfiguration(1, {
    members: [...configurationOf(['a', 'b', 'd'], ['c']).members],
    joint: { voters: ['a', 'b', 'c'], leaving: ['c'] },
  });
  const restored = {
    ...half.restored({ term: 1 }),
    configurations: [1, 2].map((index) => ({
      index,
      configuration: decodeConfiguration(half.at(index).data),
    })),
  };

  it('is completed by the next leader, once it has committed in its term', () => {
    const node = new CoreHarness({ restored });
    node.campaign();
    expect(node.sent('preVote').map(({ to }) => to)).toEqual(['b', 'd', 'c']);
    for (const from of 'bd') node.receive(from, preVoteGranted(1));
    for (const from of 'bd') node.receive(from, voteGranted(2));
    expect(node.status).toMatchObject({ role: 'leader', term: 2, lastIndex: 3 });
    node.acknowledge('b');
    expect(node.status).toMatchObject({ commitIndex: 3, lastIndex: 4, configuration: { index: 4 } });
    expect(votersBy(node)).toEqual(['a', 'b', 'd']);
    expect(joint(node)).toBeUndefined();
  });

  it('needs the votes of both sides in an election', () => {
    const node = new CoreHarness({ id: 'd', restored });
    node.campaign();
    node.receive('a', preVoteGranted(1));
    expect(node.status.role).toBe('follower');
    node.receive('c', preVoteGranted(1));
    expect(node.status.role).toBe('candidate');
    node.receive('a', voteGranted(2));
    expect(node.status.role).toBe('candidate');
    node.receive('b', voteGranted(2));
    expect(node.status.role).toBe('leader');
  });

  it('is rolled back exactly when it is cut off', () => {
    const node = new CoreHarness({ restored });
    expect(joint(node)).toBeDefined();
    node.receive('b', new TestLog(half.configuration, [2]).append(2, 1));
    expect(node.status.configuration.index).toBe(1);
    expect(joint(node)).toBeUndefined();
    expect(votersBy(node)).toEqual(['a', 'b', 'c']);
  });

  it('may take the leader away, which leads until it is complete', () => {
    const node = leaderOf(['a', 'b', 'c'], ['d']);
    node.acknowledge('d');
    const id = change(node, replace('a', 'd'));
    for (const from of 'bd') node.acknowledge(from);
    expect(node.status).toMatchObject({ role: 'leader', lastIndex: 4 });
    for (const from of 'bd') node.acknowledge(from);
    expect(node.answer(id)).toMatchObject({ outcome: 'done', index: 4 });
    expect(node.status.role).toBe('follower');
    node.wait(10 * timing.electionTimeoutMs);
    expect(node.core.nextDeadlineMs()).toBe(Infinity);
  });

  it('is not completed during a transfer, but after the transfer failed', () => {
    const { node } = began();
    node.ask((id) => ({ type: 'transfer', id, to: 'b' }));
    node.acknowledge('b');
    expect(node.sent('timeoutNow')).toMatchObject([{ to: 'b', lastIndex: 3 }]);
    expect(node.status.lastIndex).toBe(3);
    const { requestId } = node.sent('timeoutNow')[0] ?? { requestId: 0 };
    node.receive('b', { type: 'timeoutNowResponse', term: 2, requestId, accepted: false });
    node.wait(timing.heartbeatIntervalMs);
    expect(node.status.lastIndex).toBe(4);
  });
});

import { describe, expect, it } from '@jest/globals';
import { CoreHarness, heartbeat } from './testing/core-harness.js';
import { add, change, leaderOf } from './testing/membership-requests.js';
import { configurationOf, member, TestLog } from './testing/test-log.js';

describe('a leader that is deposed', () => {
  it('names the entries whose fate it leaves open', () => {
    const node = leaderOf(['a', 'b', 'c'], ['d']);
    for (const from of 'bcd') node.acknowledge(from);
    const [proposal, addition] = [node.propose(), change(node, add('d'))];
    node.receive('b', heartbeat(9));
    expect(node.answer(proposal)).toMatchObject({ outcome: 'unknown', at: { index: 3, term: 2 } });
    expect(node.answer(addition)).toMatchObject({ outcome: 'unknown', at: { index: 4, term: 2 } });
  });

  it('names the joint configuration of a replacement', () => {
    const node = leaderOf(['a', 'b', 'c'], ['d']);
    for (const from of 'bcd') node.acknowledge(from);
    const id = change(node, { type: 'replace', id: 'c', by: member('d') });
    node.receive('b', heartbeat(9));
    expect(node.answer(id)).toMatchObject({ outcome: 'unknown', at: { index: 3, term: 2 } });
  });
});

describe('the fate of an entry', () => {
  const abc = configurationOf(['a', 'b', 'c']);
  const follower = (log: TestLog): CoreHarness => new CoreHarness({ restored: log.restored() });

  it('is open until it, or another entry at its index, is committed', () => {
    const node = follower(new TestLog(abc, [2, 2]));
    const [own, lost] = [
      { index: 2, term: 2 },
      { index: 3, term: 2 },
    ];
    const fates = () => [own, lost].map((at) => node.core.fateOf(at));
    expect(fates()).toEqual(['open', 'open']);
    const successor = new TestLog(abc, [2, 3]);
    node.receive('b', successor.append(3, 2, 3, 1));
    expect(fates()).toEqual(['open', 'open']);
    node.receive('b', successor.append(3, 3, 3, 3));
    expect(fates()).toEqual(['committed', 'replaced']);
  });

  it('is forgotten below a snapshot', () => {
    const log = new TestLog(abc, [2, 2, 2]);
    const node = follower(log);
    node.receive('b', log.append(2, 4, 4, 4));
    node.step({ type: 'applied', index: 4 });
    node.step({ type: 'compact', index: 3, data: new Uint8Array(0) });
    expect([2, 3, 4].map((index) => node.core.fateOf({ index, term: 2 }))).toEqual([
      'forgotten',
      'committed',
      'committed',
    ]);
  });

  it('of a replacement is open until it is complete', () => {
    const members = [...abc.members.slice(0, 2), member('c', false), member('d')];
    const joint = { members, joint: { voters: ['a', 'b', 'c'], leaving: ['c'] } };
    const after = { members: [...abc.members.slice(0, 2), member('d')] };
    const log = new TestLog(abc).addConfiguration(2, joint).addConfiguration(2, after);
    const node = follower(new TestLog(abc));
    const fate = () => node.core.fateOf({ index: 2, term: 2 });
    node.receive('b', log.append(2, 1, 2, 2));
    expect(node.status.commitIndex).toBe(2);
    expect(fate()).toBe('open');
    node.receive('b', log.append(2, 2, 3, 2));
    expect(fate()).toBe('open');
    node.receive('b', log.append(2, 3, 3, 3));
    expect(fate()).toBe('committed');
  });
});

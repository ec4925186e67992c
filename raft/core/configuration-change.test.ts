import { describe, expect, it } from '@jest/globals';
import { applyChange, type MembershipChange } from './configuration-change.js';
import { configurationOf, member } from './testing/test-log.js';

const abc = configurationOf(['a', 'b', 'c'], ['n']);

const after = (change: MembershipChange) => {
  const result = applyChange(abc, change);
  if (!result.ok) return result.reason;
  return result.changed
    ? result.configuration.members.map(({ id, voter }) => (voter ? id : `(${id})`))
    : 'unchanged';
};
const join = (type: 'addVoter' | 'addNonvoter', id: string, changes = {}): MembershipChange => ({
  type,
  ...member(id),
  ...changes,
});
const swap = (id: string, by: string, changes = {}): MembershipChange => ({
  type: 'replace',
  id,
  by: { ...member(by), ...changes },
});

describe('a change', () => {
  it.each<[string, MembershipChange, unknown]>([
    ['adds a voter', join('addVoter', 'd'), ['a', 'b', 'c', 'd', '(n)']],
    ['adds a non-voter', join('addNonvoter', 'd'), ['a', 'b', 'c', '(d)', '(n)']],
    ['promotes', join('addVoter', 'n'), ['a', 'b', 'c', 'n']],
    ['demotes', { type: 'demote', id: 'b' }, ['a', '(b)', 'c', '(n)']],
    ['removes a voter', { type: 'remove', id: 'b' }, ['a', 'c', '(n)']],
    ['removes a non-voter', { type: 'remove', id: 'n' }, ['a', 'b', 'c']],
    ['keeps a voter that is added as non-voter', join('addNonvoter', 'b'), 'unchanged'],
    ['changes an address', join('addVoter', 'b', { address: 'b:2' }), ['a', 'b', 'c', '(n)']],
    ['is nothing for one who is not there', { type: 'remove', id: 'x' }, 'unchanged'],
    ['is nothing for one who is no voter', { type: 'demote', id: 'n' }, 'unchanged'],
    ['cannot demote a stranger', { type: 'demote', id: 'x' }, 'no-such-member'],
    ['cannot take the address of another', join('addVoter', 'd', { address: 'b:1' }), 'duplicate-address'],
    ['cannot swap the disk of a voter', join('addVoter', 'b', { incarnation: 'x' }), 'other-disk'],
    ['replaces a voter by a non-voter', swap('b', 'n'), ['a', '(b)', 'c', 'n']],
    ['replaces a voter by a newcomer', swap('b', 'd'), ['a', '(b)', 'c', 'd', '(n)']],
    ['that replaces by a voter only removes', swap('b', 'c'), ['a', 'c', '(n)']],
    ['that has replaced already is nothing', swap('x', 'c'), 'unchanged'],
    ['cannot replace a stranger', swap('x', 'd'), 'no-such-member'],
    ['cannot replace one without a vote', swap('n', 'd'), 'not-a-voter'],
    ['cannot replace by another disk of a voter', swap('b', 'c', { incarnation: 'x' }), 'other-disk'],
    ['cannot replace at the address of another', swap('b', 'd', { address: 'c:1' }), 'duplicate-address'],
    ['may swap that of a non-voter', join('addNonvoter', 'n', { incarnation: 'x' }), ['a', 'b', 'c', '(n)']],
  ])('%s', (_, change, expected) => {
    expect(after(change)).toEqual(expected);
  });

  it('moves one voter at most, so that old and new majorities overlap (Raft thesis §4.1)', () => {
    const changes = ['a', 'b', 'n', 'x'].flatMap((id): MembershipChange[] => [
      join('addVoter', id),
      join('addNonvoter', id),
      { type: 'demote', id },
      { type: 'remove', id },
    ]);
    for (const change of changes) {
      const result = applyChange(abc, change);
      if (!result.ok) continue;
      const now = result.configuration.members.filter(({ voter }) => voter).map(({ id }) => id);
      const moved = [...'abcnx'].filter((id) => now.includes(id) !== [...'abc'].includes(id));
      expect(moved.length).toBeLessThanOrEqual(1);
    }
  });
});

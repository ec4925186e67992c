import { describe, expect, it } from '@jest/globals';
import {
  applyChange,
  ConfigurationHistory,
  decodeConfiguration,
  encodeConfiguration,
} from './configuration.js';
import { configurationOf, member } from './testing/test-log.js';
import type { MembershipChange } from './types.js';

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

describe('the bytes of a configuration', () => {
  it('are the same in whatever order the members come', () => {
    const reversed = { members: [...abc.members].reverse() };
    expect(encodeConfiguration(reversed)).toEqual(encodeConfiguration(abc));
    expect(decodeConfiguration(encodeConfiguration(abc))).toEqual(abc);
  });

  it('keep what a replacement needs, and are read as before without it', () => {
    const joint = { members: abc.members, joint: { voters: ['c', 'b', 'a'], leaving: ['n', 'c'] } };
    expect(decodeConfiguration(encodeConfiguration(joint))).toEqual({
      members: abc.members,
      joint: { voters: ['a', 'b', 'c'], leaving: ['c', 'n'] },
    });
    expect(new TextDecoder().decode(encodeConfiguration(configurationOf(['a'])))).toBe(
      '{"members":[{"id":"a","address":"a:1","incarnation":"disk of a","voter":true}]}',
    );
  });

  it('that are none end the process', () => {
    expect(() => decodeConfiguration(new TextEncoder().encode('{}'))).toThrow(/without members/);
  });
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

  it('moves one voter at most, so that old and new majorities overlap (thesis §4.1)', () => {
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

describe('the history of configurations', () => {
  const at = (index: number) => ({ index, configuration: configurationOf([`v${index}`]) });
  const history = () => new ConfigurationHistory(at(3), [at(5), at(9)]);

  it('knows the newest, and the one in force at any index', () => {
    expect(history().latest.index).toBe(9);
    expect([3, 4, 5, 8, 9, 20].map((index) => history().at(index).index)).toEqual([3, 3, 5, 5, 9, 9]);
  });

  it('goes back exactly as far as the log is cut', () => {
    const cut = history();
    expect(cut.truncateFrom(10)).toBe(false);
    expect(cut.truncateFrom(6)).toBe(true);
    expect(cut.latest.index).toBe(5);
  });

  it('keeps the one in force at a snapshot', () => {
    const compacted = history();
    compacted.compactTo(7);
    expect(compacted.at(7).index).toBe(5);
    expect(compacted.latest.index).toBe(9);
    compacted.compactTo(12);
    expect(compacted.latest.index).toBe(9);
  });

  it('knows who may matter while only part of it is committed', () => {
    const voterIs = (id: string) => (configuration: ReturnType<typeof configurationOf>) =>
      configuration.members.some((each) => each.id === id);
    expect(history().someSince(6, voterIs('v5'))).toBe(true);
    expect(history().someSince(6, voterIs('v9'))).toBe(true);
    expect(history().someSince(6, voterIs('v3'))).toBe(false);
  });

  it('is empty on an empty node', () => {
    expect(new ConfigurationHistory(undefined, []).latest).toEqual({
      index: 0,
      configuration: { members: [] },
    });
  });
});

import { describe, expect, it } from '@jest/globals';
import { ConfigurationHistory, decodeConfiguration, encodeConfiguration } from './configuration.js';
import { configurationOf } from './testing/test-log.js';

const abc = configurationOf(['a', 'b', 'c'], ['n']);

describe('the bytes of a configuration', () => {
  it('are the same for any order of the members', () => {
    const reversed = { members: [...abc.members].reverse() };
    expect(encodeConfiguration(reversed)).toEqual(encodeConfiguration(abc));
    expect(decodeConfiguration(encodeConfiguration(abc))).toEqual(abc);
  });

  it('keep what a replacement needs, and are still read without it', () => {
    const joint = { members: abc.members, joint: { voters: ['c', 'b', 'a'], leaving: ['n', 'c'] } };
    expect(decodeConfiguration(encodeConfiguration(joint))).toEqual({
      members: abc.members,
      joint: { voters: ['a', 'b', 'c'], leaving: ['c', 'n'] },
    });
    expect(new TextDecoder().decode(encodeConfiguration(configurationOf(['a'])))).toBe(
      '{"members":[{"id":"a","address":"a:1","incarnation":"disk of a","voter":true}]}',
    );
  });

  it('end the process when they are invalid', () => {
    expect(() => decodeConfiguration(new TextEncoder().encode('{}'))).toThrow(/without members/);
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

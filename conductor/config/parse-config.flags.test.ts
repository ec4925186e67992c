import { describe, expect, it } from '@jest/globals';
import type { Config } from './config.js';
import { flagNames, flags, variableName, type FlagName } from './flag-table.js';
import { configOf, parsed, required } from './testing/command-line.js';
import { flagCases } from './testing/flag-cases.js';

function at(config: Config, path: string): unknown {
  // For flags without effect, only the fact that they were given is kept.
  if (path.startsWith('explicit:')) return config.explicit[path.slice('explicit:'.length) as FlagName];
  return path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], config);
}

/** Settings that a flag requires. */
const needs: Partial<Record<FlagName, string[]>> = {
  'raft.tls.cert': ['--raft.tls.key=/k', '--raft.tls.ca=/a'],
  'raft.tls.key': ['--raft.tls.cert=/c', '--raft.tls.ca=/a'],
  'raft.tls.ca': ['--raft.tls.cert=/c', '--raft.tls.key=/k'],
  'raft.accept-plain': ['--raft.secret-file=/s'],
  'healthcheck.execution-p2p-enabled': ['--healthcheck.execution-p2p-min-peer-count=1'],
  'rollup-boost.next-enabled': ['--rollup-boost.next-healthcheck-url=http://rb'],
};

/** Settings that a flag excludes. */
const excludes: Partial<Record<FlagName, string[]>> = { witness: ['node.rpc', 'execution.rpc'] };

describe('parseConfig', () => {
  it('has every flag in the table of cases', () => {
    expect(flagCases.map(([name]) => name).sort()).toEqual([...flagNames].sort());
  });

  describe.each(flagCases)('%s', (name, suffix, text, path, value, byDefault) => {
    const variable = `OP_CONDUCTOR_${suffix}`;
    const others = [
      ...Object.entries(required)
        .filter(([other]) => ![name, ...(excludes[name] ?? [])].includes(other))
        .map(([other, given]) => `--${other}=${given}`),
      ...(needs[name] ?? []),
    ];
    const given = (...argv: string[]): Config => parsed([...others, ...argv]).config;

    it('is read from all forms of the flag', () => {
      const isBoolean = flags[name].type.placeholder === '';
      expect(at(given(`--${name}=${text}`), path)).toEqual(value);
      expect(at(given(`-${name}=${text}`), path)).toEqual(value);
      if (!isBoolean) expect(at(given(`-${name}`, text), path)).toEqual(value);
      else expect(at(given(`-${name}`), path)).toBe(true);
    });

    it('is read from its variable, and the flag wins', () => {
      expect(at(parsed([...others], { [variable]: text }).config, path)).toEqual(value);
      const elsewhere = { [variable]: 'not even valid' };
      expect(at(parsed([...others, `--${name}=${text}`], elsewhere).config, path)).toEqual(value);
      expect(variableName(name)).toBe(variable);
      expect(parsed(others, { [variable]: text }).warnings).toEqual([]);
    });

    it('has its default', () => {
      expect(at(configOf(), path)).toEqual(byDefault);
    });
  });
});

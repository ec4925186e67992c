import { describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { patched } from '../../../../raft/evidence/simulator/mutants/patched.js';
import { scenarios } from '../scenarios/scenarios.js';
import { hunt } from './hunt.js';
import { inScenario, inTest } from './mutant.js';
import { mutantNamed, mutants } from './mutants.js';

const root = new URL('../../../../', import.meta.url);
const HUNT_LIMIT_MS = 60_000;

describe('the mutants', () => {
  it('have names of their own', () => {
    const names = mutants.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)]);
  });

  it.each(mutants.map((mutant) => [mutant.name, mutant] as const))(
    '%s: fits the sources',
    async (_, mutant) => {
      for (const patch of mutant.patches) {
        const source = await readFile(new URL(patch.file, root), 'utf8');
        expect(patched(source, [patch])).not.toBe(source);
      }
    },
  );

  it('have existing hunters', () => {
    const names = scenarios.map(({ name }) => name);
    for (const { hunter } of mutants) {
      if ('scenario' in hunter) expect(names).toContain(hunter.scenario);
      if ('test' in hunter) {
        expect(hunter.test).toMatch(/\.test\.ts$/);
        expect([hunter.test, existsSync(fileURLToPath(new URL(hunter.test, root)))]).toEqual([
          hunter.test,
          true,
        ]);
      }
    }
  });

  it('that fit no longer are refused', () => {
    const patch = { file: 'a.ts', find: 'no such text', replace: '' };
    expect(() => patched('a text', [patch])).toThrow('does not contain exactly once');
    expect(() => patched('no such text, no such text', [patch])).toThrow('does not contain exactly once');
  });
});

describe('a hunt', () => {
  const options = { within: 1, steps: 100 };

  it(
    'finds a mutant by its scenario, and not by another one',
    async () => {
      const mutant = mutantNamed('whoever leads an empty log starts where it is');
      expect(await hunt(mutant, options)).toMatch(/^started-on-committed, /);
      const hunter = inScenario('a standby that hears no gossip');
      expect(await hunt({ ...mutant, hunter }, options)).toBeUndefined();
    },
    HUNT_LIMIT_MS,
  );

  it(
    'finds a mutant by its unit test, and not by another one',
    async () => {
      const mutant = mutantNamed('a damaged record is read');
      expect(await hunt(mutant, options)).toMatch(/^records.test.ts: /);
      const hunter = inTest('raft/storage/errors.test.ts');
      expect(await hunt({ ...mutant, hunter }, options)).toBeUndefined();
    },
    HUNT_LIMIT_MS,
  );
});

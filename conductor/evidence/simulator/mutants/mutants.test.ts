import { describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { mutants } from './mutants.js';
import { patched } from './patched.js';

const root = new URL('../../../../', import.meta.url);

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

  it('that fit no longer are refused', () => {
    const patch = { file: 'a.ts', find: 'no such text', replace: '' };
    expect(() => patched('a text', [patch])).toThrow('does not contain exactly once');
    expect(() => patched('no such text, no such text', [patch])).toThrow('does not contain exactly once');
  });
});

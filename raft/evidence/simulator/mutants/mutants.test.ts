import { describe, expect, it } from '@jest/globals';
import { loadMutant } from './load-mutant.js';
import { mutants } from './mutants.js';

describe('the mutants', () => {
  it('have names of their own', () => {
    const names = mutants.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)]);
  });

  it.each(mutants.map((mutant) => [mutant.name, mutant] as const))('%s: fits the core', async (_, mutant) => {
    await expect(loadMutant(mutant)).resolves.toHaveProperty('createCore');
  });

  it('are refused when they no longer fit', async () => {
    const load = (file: string, find: string) =>
      loadMutant({ name: 'old', patches: [{ file, find, replace: '' }] });
    await expect(load('quorum.ts', 'no such text')).rejects.toThrow('does not contain exactly once');
    await expect(load('no-such-file.ts', 'export')).rejects.toThrow('names no file of the core');
  });
});

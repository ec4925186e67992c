import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { mutants } from '../simulator/mutants/mutants.js';

const root = new URL('../../../', import.meta.url);
const page = readFileSync(new URL('docs/INVARIANTS.md', root), 'utf8');
/** "- Mutants it catches:" and the list below it. */
const mutantLists = page.matchAll(/^- Mutants it catches:\n((?: {2}- .+\n)+)/gm);

describe('docs/INVARIANTS.md', () => {
  it('names files that exist', () => {
    const files = [...page.matchAll(/`((?:raft|docs)\/[\w./-]+\.\w+)`/g)].map(([, file]) => file as string);
    expect(files.length).toBeGreaterThan(30);
    expect(files.filter((file) => !existsSync(new URL(file, root)))).toEqual([]);
  });

  it('names mutants that exist', () => {
    const named = [...mutantLists].flatMap(([, list]) =>
      [...list!.matchAll(/- (.+)/g)].map(([, name]) => name!),
    );
    expect(named.length).toBeGreaterThan(80);
    const known = new Set(mutants.map(({ name }) => name));
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  it('names every invariant of the simulator', () => {
    const folder = 'raft/evidence/simulator/invariants/';
    const files = readdirSync(new URL(folder, root)).filter(
      (name) => name !== 'invariant.ts' && name !== 'every-invariant.ts',
    );
    expect(files.filter((name) => !page.includes(`\`${folder}${name}\``))).toEqual([]);
  });
});

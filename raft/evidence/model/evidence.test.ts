import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { mutants } from '../simulator/mutants/mutants.js';

const root = new URL('../../../', import.meta.url);
const page = readFileSync(new URL('docs/INVARIANTS.md', root), 'utf8');
const tables = page.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| --'));

describe('docs/INVARIANTS.md', () => {
  it('names files that exist', () => {
    const files = [...page.matchAll(/`((?:raft|docs)\/[\w./-]+\.\w+)`/g)].map(([, file]) => file as string);
    expect(files.length).toBeGreaterThan(30);
    expect(files.filter((file) => !existsSync(new URL(file, root)))).toEqual([]);
  });

  it('names mutants that exist', () => {
    // The last of five columns.
    const named = tables
      .map((line) => line.split('|').slice(1, -1))
      .filter((cells) => cells.length === 5 && cells[4]?.trim() !== 'Mutants')
      .flatMap((cells) => (cells[4] ?? '').split(';').map((name) => name.trim()))
      .filter((name) => name !== '');
    expect(named.length).toBeGreaterThan(40);
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

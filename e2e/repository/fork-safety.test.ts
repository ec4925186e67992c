import { describe, expect, it } from '@jest/globals';
import { namedTests, namesNothing, readDocument } from './named-tests.js';

const page = readDocument('docs/FORK-SAFETY.md');
const rows = namedTests(page);

describe('docs/FORK-SAFETY.md', () => {
  it('names tests that exist', () => {
    expect(rows.filter(namesNothing)).toEqual([]);
  });

  it('has a test for every promise', () => {
    const promises = [...page.matchAll(/^\| (P\d) +\| [^`|]+\|$/gm)].map(([, promise]) => promise!);
    expect(promises).toEqual(['P1', 'P2', 'P3', 'P4', 'P5', 'P6', 'P7', 'P8']);
    const shown = new Set(rows.map(({ subject }) => subject));
    expect(promises.filter((promise) => !shown.has(promise))).toEqual([]);
  });

  it('has an argument for every promise', () => {
    for (let number = 1; number <= 8; number++) {
      expect(page).toMatch(new RegExp(`^\\*\\*(P\\d, )?P${number}(, P\\d)?\\.\\*\\*`, 'm'));
    }
  });

  it('has no row that cannot be read', () => {
    const lines = page.split('\n').filter((line) => line.includes('.test.ts') && line.startsWith('|'));
    expect(lines).toHaveLength(rows.length);
  });
});

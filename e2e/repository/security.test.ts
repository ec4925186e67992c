import { describe, expect, it } from '@jest/globals';
import { namedTests, namesNothing, readDocument } from './named-tests.js';

const page = readDocument('docs/SECURITY.md');
const rows = namedTests(page);

describe('docs/SECURITY.md', () => {
  it('names tests that exist', () => {
    expect(rows.filter(namesNothing)).toEqual([]);
  });

  it('has a test for every attacker', () => {
    const attackers = [...page.matchAll(/\*\*([SR]\d)\*\*:/g)].map(([, attacker]) => attacker!);
    expect(attackers).toEqual(['S1', 'S2', 'S3', 'S4', 'S5', 'R1', 'R2', 'R3', 'R4', 'R5']);
    const shown = new Set(rows.map(({ subject }) => subject));
    expect(attackers.filter((attacker) => !shown.has(attacker))).toEqual([]);
  });

  it('has no row that cannot be read', () => {
    const lines = page.split('\n').filter((line) => line.includes('.test.ts') && line.startsWith('|'));
    expect(lines).toHaveLength(rows.length);
  });
});

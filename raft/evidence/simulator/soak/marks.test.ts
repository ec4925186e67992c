import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { marksOf, withCounters, withoutMarks, type Mark } from './marks.js';

const RAFT = fileURLToPath(new URL('../../../', import.meta.url));
const CORE = path.join(RAFT, 'core');
const BEGINNING = / …$/;

const sources = readdirSync(CORE)
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  .map((name) => ({ name, source: readFileSync(path.join(CORE, name), 'utf8') }));
const marks = sources.flatMap(({ source }) => marksOf(source));

/** How many tests of a file a mark may mean: those with this title, or with this beginning. */
function testsMeant(source: string, { testTitle }: Mark): number {
  const isWhole = !BEGINNING.test(testTitle);
  const text = testTitle.replace(BEGINNING, '').replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return (
    source.match(new RegExp(`(?:\\bit\\(|\\btitle:)\\s*'${text}${isWhole ? "'" : ''}`, 'g'))?.length ?? 0
  );
}

/** Comments that mention coverage but are not marks, and marks that are not at the beginning of a branch. */
function misplaced(source: string): string[] {
  const lines = source.split('\n');
  return lines.flatMap((line, at) => {
    if (!line.includes('cover: ')) return [];
    const isMark = marksOf(`${line}\n${lines[at + 1] ?? ''}\n`).length === 1;
    const before = lines[at - 1]?.trim() ?? '';
    // First in its block, or after a guard that leaves it.
    const beginsBranch = /\{$|^\}$|\breturn\b.*;$/.test(before);
    const after = lines[at + 2]?.trim() ?? '';
    return isMark && beginsBranch && after !== '' && after !== '}' ? [] : [line.trim()];
  });
}

describe('the marks of the core', () => {
  it('exist, with unique names', () => {
    const names = marks.map(({ name }) => name);
    expect(names.length).toBeGreaterThan(30);
    expect(names).toEqual([...new Set(names)]);
  });

  it.each(sources)('are on separate lines, where a branch begins: $name', ({ source }) => {
    expect(misplaced(source)).toEqual([]);
  });

  it.each(marks)('name the test that explains "$name"', (mark) => {
    const file = path.join(CORE, mark.testFile);
    expect(path.relative(RAFT, file)).not.toMatch(/^\.\./);
    expect(existsSync(file)).toBe(true);
    expect(testsMeant(readFileSync(file, 'utf8'), mark)).toBe(1);
  });
});

describe('a mark', () => {
  const marked = 'if (a) {\n  // cover: a holds\n  // a.test.ts "is true"\n  return \'a\';\n}\n';

  it('becomes a counter of its branch, or nothing', () => {
    expect(withCounters(marked, () => 7)).toBe("if (a) {\nglobalThis.coverCore(7);\n  return 'a';\n}\n");
    expect(withoutMarks(marked)).toBe("if (a) {\n  return 'a';\n}\n");
    expect(misplaced(marked)).toEqual([]);
  });

  it.each([
    ['inside a condition', 'if (a /* cover: a holds */) return;\n'],
    ['behind a statement', 'a = 1; // cover: a holds\n// a.test.ts "is true"\nreturn;\n'],
    ['without a test', 'if (a) {\n  // cover: a holds\n  return;\n}\n'],
    ['in the middle of a branch', 'a = 1;\n// cover: a holds\n// a.test.ts "is true"\nreturn;\n'],
    ['at the end of a block', 'if (a) {\n  // cover: a holds\n  // a.test.ts "is true"\n}\n'],
  ])('is out of place %s', (_, source) => {
    expect(misplaced(source)).toHaveLength(1);
  });
});

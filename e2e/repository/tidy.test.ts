import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { circlesOf, filesBelow, importGraph, isForTests, SOURCE_FOLDERS, sourceOf } from './import-graph.js';
import {
  anchorsOf,
  fileNamesIn,
  isKnownFile,
  leadsSomewhere,
  linksIn,
  type Reference,
} from './references.js';

/** Each is one table, which nobody reads from beginning to end. */
const TABLES = ['conductor/config/flag-table.ts', 'raft/evidence/simulator/mutants/mutants.ts'];
const LINES_MAX = 400;
/** It lists the words that it forbids. */
const THIS_FILE = 'e2e/repository/tidy.test.ts';

/** Programs that a build makes. */
const BUILT = /^(\.\/)?(e2e\/)?dist\//;
/** Looks like the name of a file. */
const PLATFORM = 'Node.js';

const files = filesBelow('.').filter((file) => !file.startsWith('.git/'));
const documents = files.filter((file) => file.endsWith('.md') && !file.endsWith('CHANGELOG.md'));
const sources = SOURCE_FOLDERS.flatMap(filesBelow).filter((file) => file.endsWith('.ts'));
const graph = importGraph();

/** Words and idioms of another language. Each with what to write instead. */
const CALQUES: [calque: RegExp, instead: string][] = [
  [/\bfor ever\b/i, 'forever'],
  [/\bclockwork\b/i, 'timing'],
  [/\bthe own\b/i, 'its own'],
  [/\ball the same\b/i, 'anyway, still'],
  [/\bin any case\b/i, 'always'],
  [/\btak(e|es|en|ing) the place of\b/i, 'replace'],
  [/\bas such\b/i, 'nothing'],
  [/\bcan not\b/i, 'cannot'],
  [/\b(that|which) (is|are) none\b/i, 'invalid, not one'],
  [/\blook(s|ed)? after\b/i, 'check'],
];

const told = ({ from, line, target }: Reference): string => `${from}:${line} ${target}`;

describe.each(documents)('%s', (document) => {
  const text = sourceOf(document);

  it('links to what is there', () => {
    const dead = linksIn(document, text).filter(({ from, target }) => {
      const [file = '', anchor] = target.split('#');
      if (file !== '' && !leadsSomewhere({ from, target: file })) return true;
      const page = file === '' ? from : path.posix.join(path.posix.dirname(from), file);
      return anchor !== undefined && !anchorsOf(sourceOf(page)).has(anchor);
    });
    expect(dead.map(told)).toEqual([]);
  });

  it('names files that are there', () => {
    const unknown = fileNamesIn(document, text).filter(
      (reference) =>
        reference.target !== PLATFORM && !BUILT.test(reference.target) && !isKnownFile(reference, files),
    );
    expect(unknown.map(told)).toEqual([]);
  });
});

describe('the English of sources and documents', () => {
  it.each(CALQUES)('has no %s', (calque) => {
    const found = [...sources, ...documents]
      .filter((file) => file !== THIS_FILE)
      .flatMap((file) => linesMatching(file, calque).map((line) => `${file}:${line}`));
    expect(found).toEqual([]);
  });
});

describe('the sources', () => {
  it(`have no file above ${LINES_MAX} lines but tables`, () => {
    const long = sources.filter((file) => sourceOf(file).split('\n').length - 1 > LINES_MAX);
    expect(long.filter((file) => !TABLES.includes(file))).toEqual([]);
    expect(TABLES.filter((file) => !long.includes(file))).toEqual([]);
  });

  it('have no comment as a banner: what stands below it is a file of its own', () => {
    const banners = sources.flatMap((file) =>
      linesMatching(file, /^\s*(?:\/\/|\/\*+|\*)\s*[-=─━═*#~]{3,}/).map((line) => `${file}:${line}`),
    );
    expect(banners).toEqual([]);
  });

  it('import each other in no circle, types included', () => {
    expect(circlesOf(graph)).toEqual([]);
  });

  it('know test frameworks only where tests are', () => {
    const unfit = sources.filter(
      (file) => /from '(@jest|fast-check)/.test(sourceOf(file)) && !isForTests(file) && !isEvidence(file),
    );
    expect(unfit).toEqual([]);
  });

  it('lie in rooms: nothing but main.ts is loose in conductor/, nothing in rpc/', () => {
    const loose = sources.filter((file) => /^(conductor|rpc)\/[^/]+\.ts$/.test(file));
    expect(loose).toEqual(['conductor/main.ts']);
  });
});

const isEvidence = (file: string): boolean => file.startsWith('raft/evidence/');

function linesMatching(file: string, pattern: RegExp): number[] {
  return sourceOf(file)
    .split('\n')
    .flatMap((line, index) => (pattern.test(line) ? [index + 1] : []));
}

describe('what an installation has', () => {
  const beginnings = [
    'conductor/main.ts',
    'conductor/commands/doctor/gather/directory-process.ts',
    'rpc/server/large-bodies/thread.ts',
  ];
  const shipped = reachedFrom(...beginnings);

  it('is what main.ts reaches: no evidence, no test, no example', () => {
    expect(shipped.filter((file) => /^e2e\/|^raft\/(evidence|examples|testing)\//.test(file))).toEqual([]);
    expect(shipped.filter(isForTests)).toEqual([]);
    expect(shipped.length).toBeGreaterThan(150);
  });

  it('is what the build begins with', () => {
    const { files: entries } = JSON.parse(sourceOf('tsconfig.build.json')) as { files: string[] };
    expect(entries).toEqual(beginnings);
  });
});

function reachedFrom(...entries: string[]): string[] {
  const reached = new Set(entries);
  for (const file of reached) for (const imported of graph.get(file) ?? []) reached.add(imported);
  return [...reached];
}

describe('the checks themselves', () => {
  it('see what they look for', () => {
    const graphWithCircles = new Map([
      ['a', ['b']],
      ['b', ['c', 'd']],
      ['c', ['a']],
      ['d', ['e']],
      ['e', ['d']],
      ['f', ['a']],
    ]);
    expect(circlesOf(graphWithCircles)).toEqual([
      ['d', 'e'],
      ['a', 'b', 'c'],
    ]);

    const prose = 'See [this](docs/no.md#x), `../gone.ts`, jest.config.js and https://example.org/page.md.';
    expect(linksIn('README.md', prose).map(({ target }) => target)).toEqual(['docs/no.md#x']);
    const named = fileNamesIn('docs/a.md', prose);
    expect(named.map(({ target }) => target)).toEqual(['docs/no.md', '../gone.ts', 'jest.config.js']);
    expect(named.map((reference) => isKnownFile(reference, files))).toEqual([false, false, true]);
    expect(leadsSomewhere({ from: 'docs/ERRORS.md', target: '../README.md' })).toBe(true);
    expect(leadsSomewhere({ from: 'docs/ERRORS.md', target: 'README.md' })).toBe(false);
    expect(anchorsOf('# Adding a `method`, now')).toEqual(new Set(['adding-a-method-now']));
  });
});

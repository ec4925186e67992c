import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { repositoryRoot } from '../../common/testing/repository-root.js';
import {
  commentsOf,
  foldersIn,
  numberedSections,
  numbersOf,
  paragraphsOf,
  unknownBugs,
  unknownSections,
  type Prose,
} from './citations.js';
import { filesBelow, SOURCE_FOLDERS, sourceOf } from './import-graph.js';
import { fileNamesIn, isKnownFile, type Reference } from './references.js';

const files = filesBelow('.').filter((file) => !file.startsWith('.git/'));
const folders = new Set(files.map((file) => path.posix.dirname(file)));
const catalogue = numbersOf(sourceOf('raft/evidence/scenarios/CATALOGUE.md'));

const documents = files
  .filter((file) => file.endsWith('.md') && !file.endsWith('CHANGELOG.md'))
  .flatMap((file) => paragraphsOf(file, sourceOf(file)));
const comments = SOURCE_FOLDERS.flatMap(filesBelow)
  .filter((file) => file.endsWith('.ts'))
  .flatMap((file) => commentsOf(file, sourceOf(file)));
const everything = [...documents, ...comments];

const sectionsOf = (page: string): Set<string> =>
  existsSync(path.join(repositoryRoot, page)) ? numberedSections(sourceOf(page)) : new Set();

/** A platform, files of the simulated execution client, and files of a build. */
const NOT_OURS = /^(Node\.js|chain\.jsonl|(\.\/)?(e2e\/)?dist\/.*)$/;

const told = ({ from, line, target }: Reference): string => `${from}:${line} ${target}`;
const unknownFiles = ({ from, line, text }: Prose): Reference[] =>
  fileNamesIn(from, text)
    .map(({ target }) => ({ from, line, target }))
    .filter((reference) => !NOT_OURS.test(reference.target) && !isKnownFile(reference, files));
const isKnownFolder = ({ from, target }: Reference): boolean =>
  folders.has(path.posix.join(path.posix.dirname(from), target).slice(0, -1)) ||
  [...folders].some((folder) => `/${folder}/`.includes(`/${target}`));

describe('what documents and comments cite', () => {
  it('sections are of a source that the glossary names, or of a page that has them', () => {
    const unknown = everything.flatMap((prose) => unknownSections(prose, sectionsOf));
    expect(unknown.map(told)).toEqual([]);
  });

  it('bugs are in the catalogue', () => {
    expect(everything.flatMap((prose) => unknownBugs(prose, catalogue)).map(told)).toEqual([]);
    expect(catalogue.size).toBe(71);
  });

  it('files that comments name are there', () => {
    expect(comments.flatMap(unknownFiles).map(told)).toEqual([]);
  });

  it('folders that documents and comments name are there', () => {
    const unknown = everything
      .flatMap(foldersIn)
      .filter((reference) => !NOT_OURS.test(reference.target) && !isKnownFolder(reference));
    expect(unknown.map(told)).toEqual([]);
  });
});

describe('the checks themselves', () => {
  const page = '# Page\n\n## 3. Loop\n\n### 3.1 Table\n\n## No. 7\n';
  const sections = (name: string): Set<string> =>
    name === 'docs/page.md' ? numberedSections(page) : new Set<string>();
  const sectionsIn = (text: string): string[] =>
    unknownSections({ from: 'a.ts', line: 1, text }, sections).map(({ target }) => target);

  it('find sections of nothing', () => {
    expect(sectionsIn('See docs/page.md §3.1, §3 and Raft thesis §6.4, §10.2.1 (RFC 7692 §7.2.1).')).toEqual(
      [],
    );
    expect(sectionsIn('Raft paper fig. 3, §5.4.2; Raft thesis §3.6.')).toEqual([]);
    expect(sectionsIn('(thesis §6.4)')).toEqual(['§6.4']);
    expect(sectionsIn('(docs/page.md §3.2; docs/gone.md §1)')).toEqual([
      'docs/page.md §3.2',
      'docs/gone.md §1',
    ]);
  });

  it('find bugs of no catalogue', () => {
    const bugsIn = (text: string): string[] =>
      unknownBugs({ from: 'a.ts', line: 1, text }, numbersOf(page)).map(({ target }) => target);
    expect(bugsIn('as in catalogue no. 7')).toEqual([]);
    expect(bugsIn('(bug 7), catalogue no. 8')).toEqual(['bug 7', 'catalogue no. 8']);
  });

  it('read comments and paragraphs whole', () => {
    const source =
      "/**\n * One,\n * two.\n */\nconst a = 'b'; // three\n// four\n\n// five\nconst c = d / e;\n";
    expect(commentsOf('a.ts', source).map(({ line, text }) => [line, text])).toEqual([
      [2, 'One, two.'],
      [5, 'three'],
      [6, 'four'],
      [8, 'five'],
    ]);
    expect(paragraphsOf('a.md', 'One,\ntwo.\n\n| a |\n| b |\n').map(({ text }) => text)).toEqual([
      'One, two.',
      '| a |',
      '| b |',
    ]);
  });

  it('find names of files and folders that are not there', () => {
    const prose = {
      from: 'raft/README.md',
      line: 1,
      text: 'See gone.ts, tidy.test.ts, `core/` and `gone/`.',
    };
    expect(unknownFiles(prose).map(({ target }) => target)).toEqual(['gone.ts']);
    expect(foldersIn(prose).filter((folder) => !isKnownFolder(folder))).toMatchObject([{ target: 'gone/' }]);
  });
});

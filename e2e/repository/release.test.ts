import { cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import getReleasePlan from '@changesets/get-release-plan';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { repositoryRoot } from '../../common/testing/repository-root.js';
import { readVersion } from '../../conductor/config/package-file.js';
import { sourceOf } from './import-graph.js';
import { linksIn } from './references.js';

const CHANGELOGS = ['CHANGELOG.md', 'raft/CHANGELOG.md'];

interface Manifest {
  version: string;
  files: string[];
}

const json = <T>(file: string): T => JSON.parse(sourceOf(file)) as T;
const imageTag = (file: string): string | undefined => /image: \S*baton:([^ }\n]+)/.exec(sourceOf(file))?.[1];
const sections = (changelog: string): string[] =>
  [...sourceOf(changelog).matchAll(/^## (.+)$/gm)].map(([, title]) => title as string);

describe('the version', () => {
  it('is the same in packages, lock file, program, chart and changelogs', () => {
    const { packages, ...lock } = json<Manifest & { packages: Record<string, Manifest> }>(
      'package-lock.json',
    );
    const chart = parse(sourceOf('helm/baton/Chart.yaml')) as { version: string; appVersion: string };
    const { version } = json<Manifest>('package.json');
    const found = {
      program: readVersion(),
      raft: json<Manifest>('raft/package.json').version,
      lock: lock.version,
      lockOfBaton: packages['']?.version,
      lockOfRaft: packages['raft']?.version,
      chart: chart.version,
      app: chart.appVersion,
      image: imageTag('helm/baton/values.yaml'),
      imageOfExample: imageTag('helm/baton/README.md'),
      ...Object.fromEntries(CHANGELOGS.map((changelog) => [changelog, sections(changelog)[0]])),
    };
    expect(found).toEqual(Object.fromEntries(Object.keys(found).map((place) => [place, version])));
  });

  it.each(CHANGELOGS)('%s has released versions only: what comes next is in .changeset', (changelog) => {
    expect(sections(changelog).filter((title) => !/^\d+\.\d+\.\d+$/.test(title))).toEqual([]);
  });
});

describe('the packages', () => {
  it.each([
    ['package.json', ['dist', 'docs']],
    ['raft/package.json', ['dist']],
  ])('%s ships what was built, and documents of operators: no notes, no sources', (file, folders) => {
    expect(json<Manifest>(file).files).toEqual(folders);
  });
});

describe('the notes in .changeset', () => {
  it('are understood, and name packages of ours', async () => {
    const { changesets } = await getReleasePlan(repositoryRoot);
    const notes = (await readdir(path.join(repositoryRoot, '.changeset'))).filter(
      (file) => file.endsWith('.md') && file !== 'README.md',
    );
    expect(changesets.map(({ id }) => `${id}.md`).sort()).toEqual(notes.sort());
    expect(changesets.filter(({ releases }) => releases.length === 0).map(({ id }) => id)).toEqual([]);
  });

  it('read the same in a changelog', async () => {
    const { changesets } = await getReleasePlan(repositoryRoot);
    expect(changesets.filter(({ summary }) => summary.trim() === '').map(({ id }) => id)).toEqual([]);
    const relative = changesets.flatMap(({ id, summary }) => linksIn(id, summary));
    expect(relative).toEqual([]);
  });

  it('raise no major version before 1.0', async () => {
    const { changesets } = await getReleasePlan(repositoryRoot);
    const major = changesets.filter(({ releases }) => releases.some(({ type }) => type === 'major'));
    expect(readVersion().startsWith('0.') ? major.map(({ id }) => id) : []).toEqual([]);
  });
});

describe('a note in .changeset', () => {
  let root: string;

  beforeAll(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'baton-release-'));
    for (const file of ['package.json', 'raft/package.json', '.changeset/config.json']) {
      await cp(path.join(repositoryRoot, file), path.join(root, file));
    }
  });

  afterAll(() => rm(root, { recursive: true, force: true }));

  const planWith = async (note: string) => {
    await writeFile(path.join(root, '.changeset/note.md'), note);
    return getReleasePlan(root);
  };

  it('on one package raises both, to the same version', async () => {
    const { releases } = await planWith("---\n'baton': minor\n---\n\nSomething new.\n");
    expect(releases.map(({ name }) => name).sort()).toEqual(['baton', 'baton-raft']);
    expect(new Set(releases.map(({ newVersion }) => newVersion)).size).toBe(1);
    expect(releases[0]?.newVersion).not.toBe(readVersion());
  });

  it.each([
    ['without its head', 'Something new.\n', /missing or invalid frontmatter/],
    ['on a package that is not ours', "---\n'other': minor\n---\n\nSomething new.\n", /not in the workspace/],
    ['of an unknown kind', "---\n'baton': huge\n---\n\nSomething new.\n", /invalid version type/],
  ])('%s is refused', async (_, note, reason) => {
    await expect(planWith(note)).rejects.toThrow(reason);
  });
});

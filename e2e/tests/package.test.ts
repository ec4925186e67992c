import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { repositoryRoot } from '../../common/testing/repository-root.js';

const run = promisify(execFile);
const STEP_TIMEOUT_MS = 120_000;

interface PackageJson {
  version: string;
  bin: Record<string, string>;
  dependencies: Record<string, string>;
}

/** As `npm install -g --prefix` leaves it: only the package, its dependencies, and a link for each program. */
let prefix: string;
let installed: string;
let manifest: PackageJson;

beforeAll(async () => {
  prefix = await mkdtemp(path.join(tmpdir(), 'baton-package-'));
  installed = path.join(prefix, 'lib', 'node_modules', 'baton');
  await mkdir(path.join(installed, 'node_modules'), { recursive: true });
  // Packs the existing build, which other tests run meanwhile.
  await run('npm', ['pack', '--offline', '--ignore-scripts', '--pack-destination', prefix], {
    cwd: repositoryRoot,
    timeout: STEP_TIMEOUT_MS,
  });
  const tarball = (await readdir(prefix)).find((name) => name.endsWith('.tgz'))!;
  await run('tar', ['-xzf', path.join(prefix, tarball), '--strip-components=1', '-C', installed]);
  manifest = JSON.parse(await readFile(path.join(installed, 'package.json'), 'utf8')) as PackageJson;
  // Without a registry: the modules that are here are those that npm would fetch.
  for (const name of Object.keys(manifest.dependencies)) {
    const target = path.join(installed, 'node_modules', name);
    await mkdir(path.dirname(target), { recursive: true });
    await symlink(path.join(repositoryRoot, 'node_modules', name), target);
  }
  await mkdir(path.join(prefix, 'bin'));
  for (const [name, file] of Object.entries(manifest.bin)) {
    await symlink(path.join(installed, file), path.join(prefix, 'bin', name));
  }
}, STEP_TIMEOUT_MS);

afterAll(() => rm(prefix, { recursive: true, force: true }));

/** Runs an installed program in a folder other than that of the sources. */
const installedProgram = (name: string, ...argv: string[]): Promise<{ stdout: string }> =>
  run(path.join(prefix, 'bin', name), argv, {
    cwd: prefix,
    env: { PATH: process.env['PATH'] },
    timeout: STEP_TIMEOUT_MS,
  });

it('42: the package holds the files that main.js reaches and the documents, no tests and no evidence', async () => {
  const files = (await readdir(installed, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(installed, path.join(entry.parentPath, entry.name)));
  const other = files.filter((file) => !/^(dist|docs)\//.test(file));
  expect(other.sort()).toEqual(['LICENSE', 'README.md', 'package.json']);
  expect(files.filter((file) => /(^|\/)(e2e|testing|evidence|examples)\/|\.test\./.test(file))).toEqual([]);
  expect(files).toEqual(expect.arrayContaining(['docs/RUNBOOK.md', 'docs/ERRORS.md', 'docs/MIGRATION.md']));
});

it.each(['baton', 'op-conductor'])('17: %s runs from its installation', async (name) => {
  expect((await installedProgram(name, '--version')).stdout).toBe(`baton version v${manifest.version}\n`);
});

it('17: all its parts work: commands, YAML, completion, a conductor', async () => {
  expect((await installedProgram('baton', 'help')).stdout).toMatch(/^Usage: baton /);
  expect((await installedProgram('baton', 'completion', 'bash')).stdout).toContain('baton complete --');
  const nobody = ['status', '--rpc', '127.0.0.1:1', '-o', 'yaml'];
  await expect(installedProgram('baton', ...nobody)).rejects.toMatchObject({
    code: 4,
    stdout: expect.stringMatching(/^schemaVersion: 1\nerror:\n {2}code: no-answer\n/),
  });
  await expect(installedProgram('baton', 'inspect', prefix)).rejects.toMatchObject({ code: 1 });
  await expect(installedProgram('op-conductor', '--raft.server.id', 'a')).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('flag consensus.addr is required'),
  });
});

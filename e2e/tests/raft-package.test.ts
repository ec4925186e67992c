import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from '@jest/globals';

const run = promisify(execFile);
const STEP_TIMEOUT_MS = 120_000;
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MODULES = path.join(ROOT, 'node_modules');

/** `source` holds a copy of `raft/`, which is built there; `app` a program that installed the package. */
let directory: string;
let app: string;
let installed: string;

interface PackageJson {
  dependencies: Record<string, string>;
}

/** Makes a package of the root's own modules one of the program's. */
async function link(name: string): Promise<void> {
  const target = path.join(app, 'node_modules', name);
  await mkdir(path.dirname(target), { recursive: true });
  await symlink(path.join(MODULES, name), target);
}

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'baton-raft-package-'));
  const source = path.join(directory, 'source');
  await cp(path.join(ROOT, 'raft'), path.join(source, 'raft'), {
    recursive: true,
    filter: (file) => !['dist', 'node_modules'].includes(path.basename(file)),
  });
  await cp(path.join(ROOT, 'tsconfig.json'), path.join(source, 'tsconfig.json'));
  await symlink(MODULES, path.join(source, 'node_modules'));
  await run('npm', ['pack', '--offline', '--pack-destination', directory], {
    cwd: path.join(source, 'raft'),
    timeout: STEP_TIMEOUT_MS,
  });

  app = path.join(directory, 'app');
  installed = path.join(app, 'node_modules', 'baton-raft');
  await mkdir(installed, { recursive: true });
  const tarball = (await readdir(directory)).find((name) => name.endsWith('.tgz')) as string;
  await run('tar', ['-xzf', path.join(directory, tarball), '--strip-components=1', '-C', installed]);
  const { dependencies } = JSON.parse(
    await readFile(path.join(installed, 'package.json'), 'utf8'),
  ) as PackageJson;
  // Nothing else, so an import that the package does not name is not found.
  for (const name of Object.keys(dependencies)) await link(name);
}, 2 * STEP_TIMEOUT_MS);

afterAll(() => rm(directory, { recursive: true, force: true }));

it('the package holds the library and nothing else', async () => {
  const files = (await readdir(installed, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(installed, path.join(entry.parentPath, entry.name)));
  expect(files.filter((file) => !file.startsWith('dist/')).sort()).toEqual([
    'LICENSE',
    'README.md',
    'package.json',
  ]);
  const built = files.filter((file) => file.startsWith('dist/'));
  expect(built).toEqual(expect.arrayContaining(['dist/index.js', 'dist/index.d.ts']));
  expect(built.filter((file) => !/\.(js|d\.ts)$/.test(file))).toEqual([]);
  expect(built.filter((file) => /(^|\/)(testing|evidence|examples)\/|\.test\./.test(file))).toEqual([]);
});

it(
  "the README's program compiles against the package's types and runs on its JavaScript",
  async () => {
    const readme = await readFile(path.join(installed, 'README.md'), 'utf8');
    const program = /```ts\n(.*?)```/s.exec(readme)?.[1] as string;
    await writeFile(path.join(app, 'words.ts'), program);
    await writeFile(path.join(app, 'package.json'), JSON.stringify({ type: 'module' }));
    await link('@types/node');
    const options = ['--strict', '--noUncheckedIndexedAccess', '--module', 'nodenext', '--target', 'es2022'];
    const compiler = path.join(MODULES, 'typescript', 'bin', 'tsc');
    await run(process.execPath, [compiler, ...options, '--types', 'node', 'words.ts'], {
      cwd: app,
      timeout: STEP_TIMEOUT_MS,
    });
    const { stdout } = await run(process.execPath, ['words.js'], { cwd: app, timeout: STEP_TIMEOUT_MS });
    expect(stdout.trim().split('\n')).toEqual([
      'three is word 1',
      'nodes is word 2',
      'agree is word 3',
      'all of them have it',
    ]);
  },
  2 * STEP_TIMEOUT_MS,
);

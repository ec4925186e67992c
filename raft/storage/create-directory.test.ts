import { mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { createDirectory } from './create-directory.js';
import { LevelStorage } from './level-storage.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'create-directory-'));
});
afterEach(() => rm(directory, { recursive: true }));

const expectRefused = async (unusable: string): Promise<void> =>
  expect(createDirectory(unusable)).rejects.toMatchObject({
    code: 'unusable-directory',
    metadata: { directory: unusable },
    remedy: expect.stringContaining('--raft.storage.dir'),
  });

it('creates what is missing, and accepts what is there', async () => {
  const below = path.join(directory, 'a', 'b', 'c');
  await createDirectory(below);
  await createDirectory(below);
  expect((await stat(below)).isDirectory()).toBe(true);
});

it('refuses a file, and what is below one', async () => {
  const file = path.join(directory, 'a-file');
  await writeFile(file, '');
  await expectRefused(file);
  await expectRefused(path.join(file, 'below', 'it'));
});

it('refuses a dangling symbolic link', async () => {
  const link = path.join(directory, 'a-link');
  await symlink(path.join(directory, 'nowhere'), link);
  await expectRefused(link);
  await expectRefused(path.join(link, 'below'));
});

// Node's recursive mkdir never returns there.
(process.platform === 'linux' ? it : it.skip)('refuses a file system that takes no entries', () =>
  expectRefused('/proc/nowhere/baton'),
);

it('the storage reports it when it is opened', async () => {
  const file = path.join(directory, 'a-file');
  await writeFile(file, '');
  await expect(new LevelStorage({ directory: file }).open('n1')).rejects.toMatchObject({
    code: 'unusable-directory',
  });
});

import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LevelStorage } from '../../../../raft/index.js';
import { eventually } from '../../../../raft/testing/eventually.js';
import type { DirectoryFacts } from '../facts.js';
import { gatherDirectory } from './gather-directory.js';

/** The process runs from the sources here. */
const FROM_SOURCES = ['--import', 'tsx'];

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'baton-doctor-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const gather = (directory: string): Promise<DirectoryFacts> =>
  gatherDirectory(directory, {
    signal: new AbortController().signal,
    execArgv: FROM_SOURCES,
    timeoutMs: 20_000,
  });

/** A process that asks the disk, but runs this instead. */
async function script(text: string): Promise<string> {
  const file = path.join(folder, 'script.mjs');
  await writeFile(file, text);
  return file;
}

describe('a directory', () => {
  it('that does not exist yet is measured at its future place, and nothing is left there', async () => {
    const { answers, trouble } = await gather(path.join(folder, 'store', 'a', 'baton'));
    expect(trouble).toBeNull();
    expect(answers).toMatchObject({
      place: { existing: folder, isDirectory: true, isWritable: true },
      space: { freeBytes: expect.any(Number), sizeBytes: expect.any(Number) },
      contents: { kind: 'absent' },
      lock: 'free',
      speed: { at: folder, writes: expect.any(Number), medianMs: expect.any(Number) },
    });
    expect(await readdir(folder)).toEqual([]);
  }, 60_000);

  it('of a member is recognised, with its use, and is not changed', async () => {
    const directory = path.join(folder, 'a', 'baton');
    const storage = new LevelStorage({ directory });
    await storage.open('a');
    expect((await gather(directory)).answers).toMatchObject({ contents: { kind: 'baton' }, lock: 'held' });
    await storage.close();
    const before = await readdir(directory);
    expect((await gather(directory)).answers).toMatchObject({ contents: { kind: 'baton' }, lock: 'free' });
    expect(await readdir(directory)).toEqual(before);
    expect(await readdir(path.join(folder, 'a'))).toEqual(['baton']);
  }, 60_000);
});

describe('a disk', () => {
  it('that hangs is abandoned, and its answers so far are kept', async () => {
    const facts = await gatherDirectory('/data', {
      signal: new AbortController().signal,
      timeoutMs: 50,
      execArgv: [],
      script: await script(
        `process.on('SIGTERM', () => {});
         process.on('disconnect', () => process.exit());
         process.send({ space: { freeBytes: 1, sizeBytes: 2 } });
         setInterval(() => {}, 1000);`,
      ),
    });
    expect(facts).toEqual({
      directory: '/data',
      answers: { space: { freeBytes: 1, sizeBytes: 2 } },
      trouble: 'the disk has not answered for 50 ms',
    });
  }, 60_000);

  it('that fails says why', async () => {
    const options = { signal: new AbortController().signal, execArgv: [] };
    const failing = await script("process.send({ trouble: 'EIO: i/o error' }); process.disconnect();");
    expect((await gatherDirectory('/data', { ...options, script: failing })).trouble).toBe('EIO: i/o error');
    const dying = await script("process.kill(process.pid, 'SIGKILL');");
    expect((await gatherDirectory('/data', { ...options, script: dying })).trouble).toBe(
      'the process that asks the disk ended with SIGKILL',
    );
  }, 60_000);

  it('is no longer asked after Ctrl-C, and the file is removed', async () => {
    const giveUp = new AbortController();
    const ended = path.join(folder, 'ended');
    const running = path.join(folder, 'running');
    const gathering = gatherDirectory('/data', {
      signal: giveUp.signal,
      execArgv: [],
      script: await script(
        `import { writeFileSync } from 'node:fs';
         process.on('SIGTERM', () => { writeFileSync(${JSON.stringify(ended)}, ''); process.exit(1); });
         writeFileSync(${JSON.stringify(running)}, '');
         setInterval(() => {}, 1000);`,
      ),
    });
    await eventually(() => existsSync(running), 'the process to run');
    giveUp.abort();
    expect((await gathering).trouble).toBe('interrupted');
    expect(existsSync(ended)).toBe(true);
  }, 60_000);
});

import { readdirSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DirectoryAnswers } from '../facts.js';
import { examineDirectory } from './examine-directory.js';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'baton-doctor-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function examine(
  directory: string,
  signal: Pick<AbortSignal, 'throwIfAborted'> = new AbortController().signal,
): Promise<{ answers: DirectoryAnswers; order: string[] }> {
  const answers: DirectoryAnswers = {};
  const order: string[] = [];
  await examineDirectory(
    directory,
    (part) => {
      order.push(...Object.keys(part));
      Object.assign(answers, part);
    },
    signal,
  );
  return { answers, order };
}

describe('the examination of a directory', () => {
  it.each([
    [[], 'empty'],
    [['000005.ldb', 'CURRENT'], 'other-database'],
    [['CURRENT', 'write-mark'], 'baton'],
    [['000005.ldb'], 'headless-database'],
    [['raft-log.db'], 'other-files'],
  ])('recognises a directory with %j: %s', async (files, kind) => {
    const directory = path.join(folder, 'a', 'baton');
    await mkdir(directory, { recursive: true });
    for (const file of files) await writeFile(path.join(directory, file), '');
    const { answers, order } = await examine(directory);
    expect(answers.contents).toEqual({ kind, files });
    // The first request to a hung disk is the one that hangs.
    expect(order).toEqual(['place', 'space', 'contents', 'lock', 'speed']);
    // Nothing is written into the directory itself.
    expect(answers.speed).toMatchObject({ at: path.join(folder, 'a') });
  });

  it('reports a file in place of a directory', async () => {
    await writeFile(path.join(folder, 'file'), '');
    const { answers } = await examine(path.join(folder, 'file', 'a', 'baton'));
    expect(answers).toMatchObject({
      place: { existing: path.join(folder, 'file'), isDirectory: false },
      speed: { error: expect.any(String) },
    });
  });

  it('measures with a file that it removes, even if the measurement is interrupted', async () => {
    const seen: string[][] = [];
    const signal = {
      throwIfAborted: () => {
        seen.push(readdirSync(folder));
        if (seen.length === 3) throw new Error('ended');
      },
    };
    const { answers } = await examine(path.join(folder, 'a', 'baton'), signal);
    expect(answers.speed).toEqual({ error: 'ended' });
    const file = `.baton-doctor-${process.pid}`;
    expect([...seen, readdirSync(folder)]).toEqual([[], [file], [file], []]);
  });

  it('reports a directory that this user cannot write to', async () => {
    if (process.getuid?.() === 0) return;
    await chmod(folder, 0o500);
    const { answers } = await examine(path.join(folder, 'a', 'baton'));
    expect(answers).toMatchObject({
      place: { isWritable: false },
      speed: { error: expect.stringContaining('EACCES') },
    });
  });
});

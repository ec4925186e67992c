import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { PauseFile } from './pause-file.js';

let directory: string;
let logged: Record<string, unknown>[];
let fatal: Error[];

const pauseFile = (): PauseFile => {
  const write = (line: string): void => void logged.push(JSON.parse(line) as Record<string, unknown>);
  const onFatal = (error: Error): void => void fatal.push(error);
  return new PauseFile({ directory, logger: pino({}, { write }), onFatal });
};

const text = (): Promise<string> => readFile(path.join(directory, 'switches.json'), 'utf8');

beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'baton-pause-'));
  logged = [];
  fatal = [];
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('PauseFile', () => {
  it('no file means no pause', async () => {
    expect(await pauseFile().read()).toMatchObject({ paused: null });
  });

  it('keeps who paused and since when, and that it was resumed', async () => {
    await pauseFile().write({ paused: { by: 'bootstrap', sinceMs: 7 } });
    expect(await text()).toBe('{"format":1,"paused":{"by":"bootstrap","sinceMs":7}}\n');
    expect(await pauseFile().read()).toMatchObject({ paused: { by: 'bootstrap', sinceMs: 7 } });
    await pauseFile().write({ paused: null });
    expect(await text()).toBe('{"format":1,"paused":null}\n');
    expect(await pauseFile().read()).toMatchObject({ paused: null });
  });

  it('keeps who ordered it, until when, and the pause of the cluster', async () => {
    const kept = {
      paused: {
        by: 'conductor_pause' as const,
        sinceMs: 7,
        untilMs: 9,
        owner: 'alice',
        reason: 'disk',
        id: 'p',
        logIndex: 3,
      },
      resumed: ['o'],
      cluster: { id: 'c', logIndex: 4, sinceMs: 8, reason: 'L1 incident' },
    };
    await pauseFile().write(kept);
    expect(await pauseFile().read()).toMatchObject(kept);
  });

  it.each(['', '{"format":1,"pau', '{"format":2,"paused":null}', '{"format":1,"paused":{"by":"somebody"}}'])(
    'takes a file with %j for a pause, logs the remedy and does not change it',
    async (damaged) => {
      await writeFile(path.join(directory, 'switches.json'), damaged);
      expect(await pauseFile().read()).toMatchObject({ paused: { by: 'unreadable-file' } });
      expect(logged).toMatchObject([
        {
          level: 50,
          code: 'unreadable-file',
          file: path.join(directory, 'switches.json'),
          remedy: expect.stringContaining('conductor_resume'),
        },
      ]);
      expect(await text()).toBe(damaged);
      expect(fatal).toEqual([]);
    },
  );

  it('reports a failed write to its caller, then ends the process', async () => {
    await rm(directory, { recursive: true });
    const order: string[] = [];
    const failing = pauseFile();
    await failing.write({ paused: null }).catch(() => order.push(`answered, fatal: ${fatal.length}`));
    await new Promise(setImmediate);
    expect(order).toEqual(['answered, fatal: 0']);
    expect(fatal).toMatchObject([{ name: 'StorageError', code: 'io' }]);
  });
});

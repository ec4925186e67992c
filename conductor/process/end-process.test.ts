import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { StorageError } from '../../raft/index.js';
import { isStuck, StuckError } from './end-process.js';

const here = path.dirname(fileURLToPath(import.meta.url));

/** Makes a process the first of its PID namespace, as in a container. */
const AS_FIRST = ['unshare', '--pid', '--fork', '--kill-child'];

const noNamespace = ((): string | undefined => {
  try {
    execFileSync(AS_FIRST[0]!, [...AS_FIRST.slice(1), 'true'], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return `it needs root and unshare: ${(error as Error).message}`;
  }
})();

/** A process with a thread that waits forever, as for a disk, and that then ends itself. */
const program = (fifo: string, ending: string): string => `
  import { open } from 'node:fs';
  import { setTimeout as sleep } from 'node:timers/promises';
  import { endProcess, killProcess } from ${JSON.stringify(path.join(here, 'end-process.ts'))};
  const fifo = ${JSON.stringify(fifo)};
  if (fifo !== '') open(fifo, 'r', () => {});
  await sleep(50);
  const read = { flush: async () => true };
  const unread = { flush: async () => false };
  setInterval(() => {}, 1000);
  await ${ending};
`;

it('an orderly exit would wait for the thread that hangs', () => {
  expect(isStuck(new StorageError('hung', 'a write'))).toBe(true);
  expect(isStuck(new StuckError('did not stop in time'))).toBe(true);
  expect(isStuck(new StorageError('io', 'a disk'))).toBe(false);
  expect(isStuck(new Error('a port'))).toBe(false);
});

describe('the end of a process', () => {
  let directory: string;
  let fifo: string;

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'baton-end-'));
    fifo = path.join(directory, 'fifo');
    await promisify(execFile)('mkfifo', [fifo]);
  });
  afterAll(() => rm(directory, { recursive: true }));

  const run = async (
    source: string,
    before: readonly string[] = [],
  ): Promise<{ code: number | null; signal: string | null }> => {
    const node = [process.execPath, '--import', 'tsx', '--input-type=module', '--eval', source];
    const [command, ...args] = [...before, ...node] as [string, ...string[]];
    const child = spawn(command, args, {
      cwd: here,
      env: { ...process.env, NODE_OPTIONS: '' },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    clearTimeout(timer);
    return { code, signal };
  };

  const KILLED = { code: null, signal: 'SIGKILL' };

  it.each(['endProcess(0, unread)', 'killProcess(read)', 'killProcess(unread)'])(
    '%s kills',
    async (ending) => {
      expect(await run(program('', ending))).toEqual(KILLED);
    },
    30_000,
  );

  it('kills while a thread waits forever', async () => {
    expect(await run(program(fifo, 'endProcess(0, read)'))).toEqual(KILLED);
  }, 30_000);

  it.each([0, 1, 130])(
    'exits with %d otherwise',
    async (code) => {
      expect(await run(program('', `endProcess(${code}, read)`))).toEqual({ code, signal: null });
    },
    30_000,
  );

  (noNamespace === undefined ? it : it.skip)(
    `kills the first process of a container as well, which no SIGKILL of its own ends ${noNamespace ?? ''}`.trim(),
    async () => {
      // unshare dies of the signal that killed its child.
      expect(await run(program(fifo, 'killProcess(read)'), AS_FIRST)).toEqual({
        code: null,
        signal: 'SIGSEGV',
      });
      expect(await run(program('', 'endProcess(3, read)'), AS_FIRST)).toEqual({ code: 3, signal: null });
    },
    50_000,
  );
});

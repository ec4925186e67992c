import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const here = path.dirname(fileURLToPath(import.meta.url));

/** A process one of whose threads waits for ever, as for a disk, and that ends itself with `error`. */
const program = (fifo: string, error: string): string => `
  import { open } from 'node:fs';
  import { setTimeout as sleep } from 'node:timers/promises';
  import { StorageError } from ${JSON.stringify(path.join(here, '../../raft/storage/errors.ts'))};
  import { endProcess, StuckError } from ${JSON.stringify(path.join(here, 'end-process.ts'))};
  if (${JSON.stringify(fifo)} !== '') open(${JSON.stringify(fifo)}, 'r', () => {});
  await sleep(50);
  endProcess(${error});
`;

describe('endProcess', () => {
  let directory: string;
  let fifo: string;

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'baton-end-'));
    fifo = path.join(directory, 'fifo');
    await promisify(execFile)('mkfifo', [fifo]);
  });
  afterAll(() => rm(directory, { recursive: true }));

  const run = async (source: string): Promise<{ code: number | null; signal: string | null }> => {
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', source], {
      cwd: here,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const timer = setTimeout(() => child.kill('SIGTERM'), 20_000);
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    clearTimeout(timer);
    return { code, signal };
  };

  it.each([`new StorageError('hung', 'a write')`, `new StuckError('did not stop in time')`])(
    'ends a process with a thread that waits for ever: %s',
    async (error) => {
      expect(await run(program(fifo, error))).toEqual({ code: null, signal: 'SIGKILL' });
    },
    30_000,
  );

  it('says 1 otherwise', async () => {
    expect(await run(program('', `new StorageError('io', 'a disk')`))).toEqual({ code: 1, signal: null });
  }, 30_000);
});

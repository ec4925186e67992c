import { closeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { StorageError } from '../../raft/index.js';
import type { LogOutput } from './log-output.js';

/** The node could not start or continue. */
export const EXIT_FATAL = 1;

const STDERR = 2;
/** Longest that writing the last log lines may take. */
const LAST_LINES_MS = 1000;
/** Longest that calls may take that keep a thread of libuv busy. */
const THREADS_MS = 1000;
const POLL_MS = 10;

/** Something did not end in time: a thread may wait for it forever. */
export class StuckError extends Error {
  override readonly name = 'StuckError';
}

/** Whether an orderly exit would wait, perhaps forever, for something that has failed. */
export function isStuck(error: Error): boolean {
  return error instanceof StuckError || (error instanceof StorageError && error.code === 'hung');
}

/**
 * Ends this process for good, within two seconds, with `code` if possible. An orderly exit waits for the threads of
 * libuv. While one of them waits for a hung disk, a dead name server or a pipe that nobody reads, the process would
 * stay, deaf to all signals, with its ports bound. In that case it is killed instead.
 */
export async function endProcess(code: number, output: Pick<LogOutput, 'flush'>): Promise<never> {
  const isOut = await output.flush(LAST_LINES_MS);
  if (!isOut || !(await threadsAreFree())) kill();
  process.exit(code);
}

/** Like `endProcess`, but without an orderly exit. */
export async function killProcess(output: Pick<LogOutput, 'flush'>): Promise<never> {
  await output.flush(LAST_LINES_MS);
  return kill();
}

async function threadsAreFree(): Promise<boolean> {
  const endMs = performance.now() + THREADS_MS;
  while (threadsAreBusy()) {
    if (performance.now() > endMs) return false;
    await sleep(POLL_MS);
  }
  return true;
}

/** Busy with files or look-ups. The database is closed before. */
function threadsAreBusy(): boolean {
  return process.getActiveResourcesInfo().some((name) => /^FSReq|^GetAddrInfoReq|^GetNameInfoReq/.test(name));
}

function kill(): never {
  // The kernel protects process 1 of a container from its own SIGKILL, but not from its own faults.
  if (process.pid === 1) {
    // abort() writes to it first, and perhaps nobody reads there either.
    closeSync(STDERR);
    process.abort();
  }
  process.kill(process.pid, 'SIGKILL');
  // Delivered before this call returns.
  throw new Error('killed');
}

import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 100;

/**
 * Polls until `probe` returns something other than `undefined` or `false`, and returns that.
 * An error of the probe means "not yet"; the last one is told when the deadline passes.
 */
export async function waitFor<T>(
  what: string,
  deadlineMs: number,
  probe: () => Promise<T | undefined | false>,
): Promise<T> {
  const giveUpAt = Date.now() + deadlineMs;
  let last: unknown = 'the condition did not hold';
  while (Date.now() < giveUpAt) {
    try {
      const value = await probe();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      if (error instanceof ProgramDied) throw error;
      last = error;
    }
    await sleep(POLL_MS);
  }
  const reason = last instanceof Error ? last.message : String(last);
  throw new Error(`waited ${deadlineMs / 1000} s in vain for ${what}: ${reason}`);
}

/** A program ended that should be running: waiting any longer is useless. */
export class ProgramDied extends Error {
  constructor(name: string, how: string, logTail: string) {
    super(`${name} ended by itself (${how}); its last words:\n${logTail}`);
    this.name = 'ProgramDied';
  }
}

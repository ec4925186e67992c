import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 20;

/** Asks until there is an answer other than undefined. Errors count as "not yet". @throws Error after `withinMs` */
export async function waitFor<T>(
  what: string,
  probe: () => Promise<T | undefined> | T | undefined,
  withinMs = 30_000,
): Promise<T> {
  const end = performance.now() + withinMs;
  let last: unknown;
  for (;;) {
    try {
      const answer = await probe();
      if (answer !== undefined) return answer;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end) {
      throw new Error(`waited ${withinMs} ms for ${what}`, { cause: last });
    }
    await sleep(POLL_MS);
  }
}

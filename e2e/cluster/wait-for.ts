import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 20;

/** Thrown by a probe whose answer will never come. */
export class WaitingIsUseless extends Error {}

/**
 * Probes until there is an answer other than undefined and false. Errors count as "not yet".
 *
 * @throws Error after `withinMs`, with the last error of the probe
 */
export async function waitFor<T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  withinMs = 30_000,
): Promise<T> {
  const endMs = performance.now() + withinMs;
  for (;;) {
    let last: unknown;
    try {
      const answer = await probe();
      if (answer !== undefined && answer !== false) return answer;
    } catch (error) {
      if (error instanceof WaitingIsUseless) throw error;
      last = error;
    }
    if (performance.now() > endMs) {
      const reason = last instanceof Error ? `: ${last.message}` : '';
      throw new Error(`waited ${withinMs} ms in vain for ${what}${reason}`, { cause: last });
    }
    await sleep(POLL_MS);
  }
}

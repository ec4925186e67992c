import type { Sleep } from '../time/sleep.js';

interface SlowFactOptions<T> {
  /** Rejects if there is no answer. */
  ask: (signal: AbortSignal) => Promise<T>;
  everyMs: number;
  /** Monotonic clock, ms. */
  now: () => number;
  sleep: Sleep;
}

/** After this many intervals without an answer, the last one no longer counts. */
const INTERVALS_KEPT = 3;

/** A fact from outside this process. It is polled, so that it can be read at any time. */
export class SlowFact<T> {
  private known: { value: T; atMs: number } | undefined;

  constructor(private readonly options: SlowFactOptions<T>) {}

  /** The last answer; null before the first one, and once it is too old. */
  get latest(): T | null {
    const { known, options } = this;
    if (!known || options.now() - known.atMs > INTERVALS_KEPT * options.everyMs) return null;
    return known.value;
  }

  /** Polls until the signal fires; one request at a time, however long it hangs. */
  async watch(signal: AbortSignal): Promise<void> {
    const { ask, everyMs, now, sleep } = this.options;
    while (!signal.aborted) {
      try {
        this.known = { value: await ask(signal), atMs: now() };
      } catch {
        // It is asked again at the next poll; without answers, the fact becomes unknown.
      }
      await sleep(everyMs, signal).catch(() => undefined);
    }
  }
}

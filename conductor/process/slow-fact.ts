import type { Sleep } from '../time/sleep.js';

interface SlowFactOptions<T> {
  /** Rejects when there is no answer. */
  ask: (signal: AbortSignal) => Promise<T>;
  everyMs: number;
  /** Monotonic clock, ms. */
  now: () => number;
  sleep: Sleep;
}

/** After so many intervals without an answer, the last one does not count any more. */
const INTERVALS_KEPT = 3;

/** Something outside of this process that is asked for now and then, so that it can be read at any time. */
export class SlowFact<T> {
  private known: { value: T; atMs: number } | undefined;

  constructor(private readonly options: SlowFactOptions<T>) {}

  /** The last answer; null before the first one, and when it is old. */
  get latest(): T | null {
    const { known, options } = this;
    if (!known || options.now() - known.atMs > INTERVALS_KEPT * options.everyMs) return null;
    return known.value;
  }

  /** Asks until the signal fires; one question at a time, however long it hangs. */
  async watch(signal: AbortSignal): Promise<void> {
    const { ask, everyMs, now, sleep } = this.options;
    while (!signal.aborted) {
      try {
        this.known = { value: await ask(signal), atMs: now() };
      } catch {
        // It is asked again; what nobody tells for long is unknown.
      }
      await sleep(everyMs, signal).catch(() => undefined);
    }
  }
}

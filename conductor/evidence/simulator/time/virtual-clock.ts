import { EventQueue } from '../../../../raft/evidence/simulator/event-queue.js';
import type { Prng } from '../../../../raft/testing/prng.js';

/** Wall clock at the beginning of every run, a whole second. */
export const EPOCH_MS = 1_700_000_000_000;

/** Longer delays become 1 ms, as in Node. */
const DELAY_MAX_MS = 2 ** 31 - 1;

/**
 * Callbacks for one turn of the real event loop, which costs as much as several events. Promises settle between any two.
 */
const TURNS_AT_ONCE = 256;

type Callback = (...args: unknown[]) => void;

/** The handle of a timer. */
class VirtualTimer {
  isCancelled = false;

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }
}

/**
 * Replaces this process's clocks, timers and randomness during a run, without the conductor's code noticing. Time
 * passes only from event to event. All promises that an event sets in motion settle before the next event, because a
 * turn of the real event loop lies between them.
 */
export class VirtualClock {
  private readonly queue = new EventQueue();
  private readonly turnOfTheLoop = setImmediate;
  /** Events that ran. Cancelled timers do not count. */
  events = 0;

  constructor(private readonly random: Prng) {}

  /** Milliseconds since the beginning of the run. Never goes back. */
  get nowMs(): number {
    return this.queue.nowMs;
  }

  get wallMs(): number {
    return EPOCH_MS + this.queue.nowMs;
  }

  after(delayMs: number, run: () => void): void {
    this.queue.after(delayMs, () => {
      this.events += 1;
      run();
    });
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.after(delayMs, resolve));
  }

  /** Runs events until this time, or until `isOver` returns true after one of them. */
  async runUntil(endMs: number, isOver: () => boolean = () => false): Promise<void> {
    await this.settled();
    let reached = false;
    this.queue.at(endMs, () => (reached = true));
    return new Promise((resolve, reject) => {
      let isDone = false;
      const runOne = (): void => {
        const before = this.events;
        // Cancelled timers set nothing in motion, so nothing has to settle after them.
        while (!isDone && this.events === before) {
          isDone = reached || isOver();
          if (!isDone) this.queue.runNext();
        }
      };
      const runSome = (): void => {
        if (isDone) return resolve();
        for (let turn = 0; turn < TURNS_AT_ONCE; turn++) this.turnOfTheLoop(guarded);
        this.turnOfTheLoop(runSome);
      };
      const guarded = (): void => {
        try {
          runOne();
        } catch (error) {
          isDone = true;
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      runSome();
    });
  }

  /** Waits until everything that only waits for promises has happened. */
  settled(): Promise<void> {
    return new Promise((resolve) => void this.turnOfTheLoop(resolve));
  }

  /** @returns a function that restores the real time of this process */
  install(): () => void {
    const { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, clearImmediate } = globalThis;
    const real = { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, clearImmediate };
    const now = performance.now.bind(performance);
    const [wallNow, random] = [Date.now, Math.random];
    const cancel = (timer: unknown): void => {
      if (timer instanceof VirtualTimer) timer.isCancelled = true;
    };
    Object.assign(globalThis, {
      setTimeout: (run: Callback, ms?: number, ...args: unknown[]) =>
        this.once(delayOf(ms), bound(run, args)),
      setInterval: (run: Callback, ms?: number, ...args: unknown[]) =>
        this.repeat(delayOf(ms), bound(run, args)),
      setImmediate: (run: Callback, ...args: unknown[]) => this.once(0, bound(run, args)),
      clearTimeout: cancel,
      clearInterval: cancel,
      clearImmediate: cancel,
    });
    performance.now = () => this.nowMs;
    Date.now = () => this.wallMs;
    Math.random = () => this.random.next();
    return () => {
      Object.assign(globalThis, real);
      performance.now = now;
      Date.now = wallNow;
      Math.random = random;
    };
  }

  private once(delayMs: number, run: () => void): VirtualTimer {
    return this.arm(new VirtualTimer(), delayMs, run);
  }

  private repeat(everyMs: number, run: () => void): VirtualTimer {
    const timer = new VirtualTimer();
    const again = (): void => {
      run();
      this.arm(timer, everyMs, again);
    };
    return this.arm(timer, everyMs, again);
  }

  private arm(timer: VirtualTimer, delayMs: number, run: () => void): VirtualTimer {
    this.queue.after(delayMs, () => {
      if (timer.isCancelled) return;
      this.events += 1;
      run();
    });
    return timer;
  }
}

const bound = (run: Callback, args: unknown[]): (() => void) =>
  args.length === 0 ? run : () => run(...args);

function delayOf(ms = 0): number {
  return ms >= 1 && ms <= DELAY_MAX_MS ? Math.trunc(ms) : 1;
}

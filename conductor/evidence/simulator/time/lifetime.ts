import type { VirtualClock } from './virtual-clock.js';

/**
 * The time from the start of a process to its death. After that, everything that waits for something in it waits
 * forever, as in a killed process.
 */
export class Lifetime {
  private readonly endings = new Set<() => void>();
  private over = false;

  constructor(private readonly clock: Pick<VirtualClock, 'after'>) {}

  get isOver(): boolean {
    return this.over;
  }

  after(delayMs: number, run: () => void): void {
    this.clock.after(delayMs, () => {
      if (!this.over) run();
    });
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.after(delayMs, resolve));
  }

  /** The same promise for as long as the process lives. */
  within<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      promise.then(
        (value) => {
          if (!this.over) resolve(value);
        },
        (error: Error) => {
          if (!this.over) reject(error);
        },
      );
    });
  }

  /** @returns a function that undoes this */
  onEnd(run: () => void): () => void {
    this.endings.add(run);
    return () => void this.endings.delete(run);
  }

  end(): void {
    if (this.over) return;
    this.over = true;
    for (const run of [...this.endings]) run();
    this.endings.clear();
  }
}

/** Lets one in at a time, in the order of arrival. */
export class Mutex {
  private tail: Promise<void> = Promise.resolve();
  private inside = 0;

  /** Somebody is in, or about to be. */
  get isTaken(): boolean {
    return this.inside > 0;
  }

  /** @returns the function that lets the next one in */
  async acquire(): Promise<() => void> {
    let next = (): void => undefined;
    const before = this.tail;
    this.tail = new Promise((resolve) => (next = resolve));
    this.inside += 1;
    await before;
    let isOut = false;
    return () => {
      if (!isOut) this.inside -= 1;
      isOut = true;
      next();
    };
  }

  async run<T>(work: () => T | Promise<T>): Promise<T> {
    const release = await this.acquire();
    try {
      return await work();
    } finally {
      release();
    }
  }
}

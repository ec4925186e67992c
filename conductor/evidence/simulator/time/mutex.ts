/** Admits one at a time, in the order of arrival. */
export class Mutex {
  private tail: Promise<void> = Promise.resolve();

  /** @returns the function that admits the next one */
  async acquire(): Promise<() => void> {
    let release = (): void => undefined;
    const before = this.tail;
    this.tail = new Promise((resolve) => (release = resolve));
    await before;
    return release;
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

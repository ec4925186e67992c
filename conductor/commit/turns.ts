/** Runs work one piece at a time, in the order of arrival. */
export class Turns {
  private tail: Promise<unknown> = Promise.resolve();

  /** The work begins when all before it has ended. Its failure does not affect later work. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const result = this.tail.then(work);
    this.tail = result.catch(() => undefined);
    return result;
  }
}

/** Takes work on one by one, in the order in which it comes. */
export class Turns {
  private tail: Promise<unknown> = Promise.resolve();

  /** The work begins when all before it has ended, and its failure does not concern what follows. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const result = this.tail.then(work);
    this.tail = result.catch(() => undefined);
    return result;
  }
}

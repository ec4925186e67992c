import type { Lifetime } from '../time/lifetime.js';

/** A request in flight, until its answer, its deadline, or the end of the connection. */
export class Exchange<T> {
  isOver = false;
  private readonly timer: NodeJS.Timeout;

  /**
   * @param lifetime of the calling process
   * @param waiting exchanges in progress with the same peer; this one is among them until it ends
   */
  constructor(
    private readonly lifetime: Lifetime,
    private readonly waiting: Set<Exchange<unknown>>,
    deadlineMs: number,
    private readonly resolve: (answer: T) => void,
    private readonly reject: (error: Error) => void,
  ) {
    this.timer = setTimeout(() => this.fail(new Error(`no answer within ${deadlineMs} ms`)), deadlineMs);
    waiting.add(this as Exchange<unknown>);
  }

  answer(answer: T): void {
    if (this.end()) this.resolve(answer);
  }

  fail(error: Error): void {
    if (this.end()) this.reject(error);
  }

  /** @returns whether the caller still waits for it */
  private end(): boolean {
    if (this.isOver) return false;
    this.isOver = true;
    clearTimeout(this.timer);
    this.waiting.delete(this as Exchange<unknown>);
    return !this.lifetime.isOver;
  }
}

/** Nothing listens there: the process is gone. */
export class ConnectionRefused extends Error {
  override readonly name = 'ConnectionRefused';

  constructor(place: string) {
    super(`${place} refuses connections`);
  }
}

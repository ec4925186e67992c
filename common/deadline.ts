/** What `withDeadline` rejects with after `timeoutMs`. */
export class DeadlineExceeded extends Error {
  constructor(readonly timeoutMs: number) {
    super(`no answer within ${timeoutMs} ms`);
    this.name = 'DeadlineExceeded';
  }
}

interface DeadlineOptions {
  timeoutMs: number;
  /** Ends the work early. The rejection is then the signal's reason. */
  signal?: AbortSignal | undefined;
}

/**
 * Runs `work` with a signal that fires after `timeoutMs` or when `signal` fires, and rejects at that moment even
 * if `work` does not listen (undici ignores its signal while it is still connecting).
 *
 * The timer and the listener are explicit: `AbortSignal.any` over a long-lived signal keeps every derived signal
 * reachable in Node 20, so a process that makes one call per second for months would grow.
 */
export async function withDeadline<T>(
  work: (signal: AbortSignal) => Promise<T>,
  { timeoutMs, signal }: DeadlineOptions,
): Promise<T> {
  signal?.throwIfAborted();
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });

  // libuv runs due timers before it reads sockets. After a stall of this process (a long GC, SIGSTOP), an answer that
  // waits in the socket would lose to its own deadline. One turn of the loop lets it be read first.
  let grace: NodeJS.Immediate | undefined;
  const timer = setTimeout(() => {
    grace = setImmediate(() => controller.abort(new DeadlineExceeded(timeoutMs)));
  }, timeoutMs);

  const ended = new Promise<never>((_resolve, reject) => {
    controller.signal.addEventListener('abort', () => reject(controller.signal.reason as Error), {
      once: true,
    });
  });
  try {
    return await Promise.race([work(controller.signal), ended]);
  } finally {
    clearTimeout(timer);
    clearImmediate(grace);
    signal?.removeEventListener('abort', onAbort);
  }
}

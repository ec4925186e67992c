import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** The client that waits for an answer. */
export interface Caller {
  /** Whether nobody waits any more. */
  readonly isGone: boolean;
  /** Fires when the connection closes before the answer is written; an answer that was read fires it afterwards. */
  readonly gone: AbortSignal;
  /** Who asks and why, if it was said. */
  readonly reason?: string | undefined;
}

/** A caller that never leaves, for calls without a connection. */
export const FAITHFUL_CALLER: Caller = { isGone: false, gone: new AbortController().signal };

/** The caller at the other end of a connection. */
export class RemoteCaller implements Caller {
  private end: AbortController | undefined;

  constructor(
    private readonly socket: Socket,
    private readonly response: ServerResponse,
    readonly reason?: string,
  ) {}

  get isGone(): boolean {
    return this.socket.destroyed;
  }

  get gone(): AbortSignal {
    // Made only for those who ask: most answers are ready at once.
    return (this.end ??= this.watch()).signal;
  }

  private watch(): AbortController {
    const end = new AbortController();
    if (this.isGone) end.abort();
    else this.response.once('close', () => end.abort());
    return end;
  }
}

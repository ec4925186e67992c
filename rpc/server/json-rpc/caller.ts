import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { RpcError } from './rpc-error.js';

/** The client that waits for an answer. */
export interface Caller {
  /** Whether nobody waits any more. */
  readonly isGone: boolean;
  /** Fires when the connection closes before the answer is written; an answer that was read fires it afterwards. */
  readonly gone: AbortSignal;
  /** Who asks and why, if it was said. */
  readonly reason?: string | undefined;
  /** Undefined, or why this caller may not make this call; absent: it may make all. */
  readonly refusalOf?: ((method: string, args: readonly unknown[]) => RpcError | undefined) | undefined;
}

/** A caller that never leaves, for calls without a connection. */
export const FAITHFUL_CALLER: Caller = { isGone: false, gone: new AbortController().signal };

/** The caller at the other end of a connection. */
export class RemoteCaller implements Caller {
  readonly reason: string | undefined;
  readonly refusalOf: Caller['refusalOf'];
  private end: AbortController | undefined;

  constructor(
    private readonly socket: Socket,
    private readonly response: ServerResponse,
    { reason, refusalOf }: Pick<Caller, 'reason' | 'refusalOf'> = {},
  ) {
    this.reason = reason;
    this.refusalOf = refusalOf;
  }

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

import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { RpcError } from './rpc-error.js';

/** The sender of a call, as far as it is known. */
export interface CallerIdentity {
  /** The other end of the connection, `host:port`. */
  readonly address: string;
  /** Name of the token that came with the call. */
  readonly token?: string | undefined;
  /** The identity that the caller gives: user and host of a command line. It is not checked. */
  readonly owner?: string | undefined;
  /** Why, if given. */
  readonly reason?: string | undefined;
}

/** The client that waits for an answer. */
export interface Caller {
  /** Whether the client has stopped waiting. */
  readonly isGone: boolean;
  /** Fires when the connection closes before the answer is written; after an answer that was read it fires later. */
  readonly gone: AbortSignal;
  readonly identity: CallerIdentity;
  /** Undefined, or why this caller may not make this call; absent: it may make all. */
  readonly refusalOf?: ((method: string, args: readonly unknown[]) => RpcError | undefined) | undefined;
}

/** A caller that never leaves, for calls without a connection. */
export const FAITHFUL_CALLER: Caller = {
  isGone: false,
  gone: new AbortController().signal,
  identity: { address: 'this process' },
};

/** The caller at the other end of a connection. */
export class RemoteCaller implements Caller {
  readonly identity: CallerIdentity;
  readonly refusalOf: Caller['refusalOf'];
  private end: AbortController | undefined;

  /** @param said what the caller says about itself */
  constructor(
    private readonly socket: Socket,
    private readonly response: ServerResponse,
    { refusalOf, ...said }: Omit<CallerIdentity, 'address'> & Pick<Caller, 'refusalOf'> = {},
  ) {
    // Now: a closed connection no longer has an address.
    this.identity = { address: addressOf(socket), ...said };
    this.refusalOf = refusalOf;
  }

  get isGone(): boolean {
    return this.socket.destroyed;
  }

  get gone(): AbortSignal {
    // Made only on demand: most answers are ready at once.
    return (this.end ??= this.watch()).signal;
  }

  private watch(): AbortController {
    const end = new AbortController();
    if (this.isGone) end.abort();
    else this.response.once('close', () => end.abort());
    return end;
  }
}

function addressOf({ remoteAddress, remotePort }: Socket): string {
  if (remoteAddress === undefined) return 'a client that has left';
  // IPv4 on a socket for both kinds.
  const host = remoteAddress.replace(/^::ffff:(?=\d+\.)/, '');
  return host.includes(':') ? `[${host}]:${remotePort}` : `${host}:${remotePort}`;
}

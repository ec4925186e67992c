import type { Socket } from 'node:net';
import { Client, type Dispatcher } from 'undici';
import { WRITING_HEADER } from './frame-headers.js';
import { formatHostPort } from './host-port.js';

/** An answer is a small frame or a few words about a refusal. */
const ANSWER_BYTES_MAX = 64 * 1024;
/** Below the server's 75 s, so that the client closes an idle connection first. */
const IDLE_MS = 60_000;
/** A body below this goes out in one write; copying a larger one costs more than a second write. */
const COPIED_BYTES_MAX = 64 * 1024;

export interface HttpAnswer {
  status: number;
  /** How long a write of the peer's disk has been under way, ms, if the peer says so. */
  writingForMs: number | undefined;
  body: Buffer;
}

/** The connection is closed; the requests on it have no answer. */
export class ConnectionLostError extends Error {
  override readonly name = 'ConnectionLostError';
  readonly code = 'ECONNRESET';
}

/** One HTTP/1.1 connection, over a socket that is connected. It is not opened again when it is lost. */
export class Connection {
  /** Requests that have not ended yet. */
  underWay = 0;
  /** Number of answers so far. */
  answers = 0;
  /** Monotonic clock, ms: when the last answer came. */
  answeredMs: number | undefined;
  readonly openedMs = performance.now();
  /** When the last request began. */
  usedMs = -Infinity;
  /** Another connection took its place, because this one was silent. */
  isReplaced = false;
  /** IP address of the other end, and with its port. */
  readonly ipAddress: string;
  readonly peer: string;
  private readonly client: Client;

  /**
   * @param pipelining requests that may be sent before the first of them is answered
   */
  constructor(
    private readonly socket: Socket,
    readonly pipelining: number,
    onLost?: (connection: Connection) => void,
  ) {
    // An error without a listener would end this process; undici listens from the first request on.
    socket.on('error', () => undefined);
    // None when the other side has reset it meanwhile; the first request tells.
    const { remoteAddress = '0.0.0.0', remotePort = 0 } = socket;
    this.ipAddress = remoteAddress;
    this.peer = formatHostPort(remoteAddress, remotePort);
    let given: Socket | undefined = socket;
    this.client = new Client(`http://${this.peer}`, {
      pipelining,
      keepAliveTimeout: IDLE_MS,
      keepAliveMaxTimeout: IDLE_MS,
      // The caller sets the deadline of a request.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxResponseSize: ANSWER_BYTES_MAX,
      // undici does not expect to be called back at once.
      connect: (_target, callback) =>
        queueMicrotask(() => {
          if (given) callback(null, given);
          else callback(new ConnectionLostError('the connection was lost'), null);
          given = undefined;
        }),
    });
    // undici ends the requests under way, and finds no other socket for them.
    socket.once('close', () => onLost?.(this));
  }

  get(path: string): Promise<HttpAnswer> {
    return this.dispatch({ method: 'GET', path });
  }

  /**
   * @param headers names and values in turn
   * @param body copied into one piece while other requests are under way: undici abandons a connection if an answer
   *   comes while it writes several. Its chunks are read again when undici has to repeat the request
   */
  post(path: string, headers: readonly string[], body: readonly Uint8Array[]): Promise<HttpAnswer> {
    const length = body.reduce((sum, chunk) => sum + chunk.length, 0);
    const isCopied = length < COPIED_BYTES_MAX || this.underWay > 0;
    return this.dispatch({
      method: 'POST',
      path,
      headers: [...headers, 'content-length', String(length)],
      // undici takes any iterable, although its types do not say so.
      body: isCopied ? Buffer.concat(body, length) : (body as never),
      // Raft's messages may arrive twice, and do not wait for earlier answers; undici must know.
      idempotent: true,
      blocking: false,
    });
  }

  /** Another connection takes its place. */
  replace(): void {
    this.isReplaced = true;
    this.destroy();
  }

  /** Ends everything at once. */
  destroy(): void {
    void this.client.destroy();
    this.socket.destroy();
  }

  private dispatch(options: Dispatcher.DispatchOptions): Promise<HttpAnswer> {
    this.underWay += 1;
    this.usedMs = performance.now();
    const answer = new Promise<HttpAnswer>((resolve, reject) => {
      let status = 0;
      let writingForMs: number | undefined;
      const chunks: Buffer[] = [];
      // A plain handler costs half of what `client.request` with its stream costs.
      this.client.dispatch(options, {
        onRequestStart: () => undefined,
        onResponseStart: (_controller, statusCode, headers) => {
          status = statusCode;
          const writing = headers[WRITING_HEADER];
          if (writing !== undefined) writingForMs = Number(writing);
        },
        onResponseData: (_controller, chunk) => void chunks.push(chunk),
        onResponseEnd: () => {
          this.answeredMs = performance.now();
          this.answers += 1;
          resolve({ status, writingForMs, body: Buffer.concat(chunks) });
        },
        onResponseError: (_controller, error) => reject(error),
      });
    });
    return answer.finally(() => (this.underWay -= 1));
  }
}

import net from 'node:net';
import { Client, type Dispatcher } from 'undici';

/** An answer is a small frame or a few words about a refusal. */
const ANSWER_BYTES_MAX = 64 * 1024;
/** Below the server's 75 s, so that the client closes an idle connection first. */
const IDLE_MS = 60_000;
/** When the kernel begins to ask whether a silent host still exists. */
const KEEP_ALIVE_PROBE_MS = 10_000;
/** A body below this goes out in one write; a larger one is not copied together, which costs more than a second write. */
const COPIED_BYTES_MAX = 64 * 1024;

export interface HttpAnswer {
  status: number;
  body: Buffer;
}

/** A kept-alive HTTP/1.1 connection to `host:port`; it connects on the first request and again after a loss. */
export class Connection {
  /** Requests that did not end yet. */
  underWay = 0;
  private readonly client: Client;
  private socket: net.Socket | undefined;

  /** @param pipelining requests that may be sent before the first of them is answered */
  constructor(address: string, pipelining: number) {
    this.client = new Client(`http://${address}`, {
      pipelining,
      keepAliveTimeout: IDLE_MS,
      keepAliveMaxTimeout: IDLE_MS,
      // The deadline of a request is its caller's business.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxResponseSize: ANSWER_BYTES_MAX,
      connect: (target, callback) => this.connect(target, callback),
    });
  }

  get(path: string): Promise<HttpAnswer> {
    return this.dispatch({ method: 'GET', path });
  }

  /**
   * @param headers names and values in turn
   * @param body its chunks are read again when undici has to repeat the request
   */
  post(path: string, headers: readonly string[], body: readonly Uint8Array[]): Promise<HttpAnswer> {
    const length = body.reduce((sum, chunk) => sum + chunk.length, 0);
    return this.dispatch({
      method: 'POST',
      path,
      headers: [...headers, 'content-length', String(length)],
      // undici takes any iterable, its types do not say so.
      body: length < COPIED_BYTES_MAX ? Buffer.concat(body, length) : (body as never),
      // Raft's messages may arrive twice, and they do not wait for the answers to those before; undici must know.
      idempotent: true,
      blocking: false,
    });
  }

  /** Ends everything at once, also an attempt to connect; undici would wait for that. */
  destroy(): void {
    void this.client.destroy();
    this.socket?.destroy();
  }

  /** A name is resolved anew each time, so that a peer may move. */
  private connect(
    { hostname, port }: { hostname: string; port: string },
    callback: (...result: [null, net.Socket] | [Error, null]) => void,
  ): void {
    const socket = net.connect({
      host: hostname,
      port: Number(port || 80),
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_PROBE_MS,
    });
    const failed = (error: Error): void => callback(error, null);
    socket.once('error', failed);
    socket.once('connect', () => {
      socket.off('error', failed);
      callback(null, socket);
    });
    this.socket = socket;
  }

  private dispatch(options: Dispatcher.DispatchOptions): Promise<HttpAnswer> {
    this.underWay += 1;
    const answer = new Promise<HttpAnswer>((resolve, reject) => {
      let status = 0;
      const chunks: Buffer[] = [];
      // A plain handler costs half of what `client.request` with its stream costs.
      this.client.dispatch(options, {
        onRequestStart: () => undefined,
        onResponseStart: (_controller, statusCode) => void (status = statusCode),
        onResponseData: (_controller, chunk) => void chunks.push(chunk),
        onResponseEnd: () => resolve({ status, body: Buffer.concat(chunks) }),
        onResponseError: (_controller, error) => reject(error),
      });
    });
    return answer.finally(() => (this.underWay -= 1));
  }
}

import type { Logger } from 'pino';
import { WebSocket } from 'ws';
import { MIB } from '../../common/bytes.js';
import { names } from '../../common/name-lookup.js';
import { parseEndpoint, WEBSOCKET, withoutQuery, type Endpoint } from '../../common/endpoint.js';
import type { FlashblocksObserver } from './observer.js';

/** As in op-conductor (docs/reference/op-conductor.md §7), except that the pauses between attempts start short and grow. */
export const UPSTREAM_TIMES = {
  /** Longest time to connect, including the handshake. */
  dialTimeoutMs: 5000,
  firstRetryMs: 100,
  lastRetryMs: 5000,
  pingIntervalMs: 15_000,
  /** An upstream that is silent for this long, without even a pong, is given up. */
  readTimeoutMs: 30_000,
  /** Longest time that a fence waits for its pong. */
  fenceTimeoutMs: 250,
};

const FRAME_BYTES_MAX = 10 * MIB;

interface UpstreamOptions {
  url: string;
  logger: Logger;
  observer: FlashblocksObserver;
  times: typeof UPSTREAM_TIMES;
  onOpen: () => void;
  /** `binary`: it came as a binary frame, not as a text frame. */
  onFrame: (data: Buffer, binary: boolean) => void;
}

interface Fence {
  token: string;
  passed: () => void;
  timer: NodeJS.Timeout;
}

/** The connection to rollup-boost or the builder. It is always read, and re-established whenever it ends. */
export class UpstreamConnection {
  private socket: WebSocket | undefined;
  private retryMs: number;
  private retry: NodeJS.Timeout | undefined;
  private keepAlive: NodeJS.Timeout | undefined;
  private state: 'new' | 'connected' | 'lost' = 'new';
  private heardAtMs = 0;
  private fence: Fence | undefined;
  private fences = 0;
  private stopped = false;
  private readonly endpoint: Endpoint;
  /** What the log calls it. */
  private readonly shown: string;

  constructor(private readonly options: UpstreamOptions) {
    this.endpoint = parseEndpoint(options.url, WEBSOCKET);
    this.shown = withoutQuery(this.endpoint);
    this.retryMs = options.times.firstRetryMs;
  }

  start(): void {
    this.connect();
    this.keepAlive = setInterval(() => this.ping(), this.options.times.pingIntervalMs);
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.retry);
    clearInterval(this.keepAlive);
    clearTimeout(this.fence?.timer);
    this.socket?.close(1000, 'shutting down');
    this.socket?.terminate();
  }

  pause(): void {
    this.socket?.pause();
  }

  resume(): void {
    this.socket?.resume();
  }

  /**
   * Calls `passed` once every frame that the upstream sent before this call has been read: a pong comes after
   * everything that was sent before its ping arrived. An upstream that does not answer pings delays it only by a fixed
   * time. A new call replaces one that is still waiting.
   */
  waitForFence(passed: () => void): void {
    clearTimeout(this.fence?.timer);
    this.fence = undefined;
    if (this.socket?.readyState !== WebSocket.OPEN) return passed();
    const token = `fence-${++this.fences}`;
    // After the next poll of the sockets: after a stall, timers run before the sockets are read.
    const timer = setTimeout(
      () => setImmediate(() => this.passFence(token)),
      this.options.times.fenceTimeoutMs,
    );
    this.fence = { token, passed, timer };
    this.socket.ping(token);
  }

  private passFence(token: string): void {
    if (this.fence?.token !== token) return;
    const { passed, timer } = this.fence;
    clearTimeout(timer);
    this.fence = undefined;
    passed();
  }

  private connect(): void {
    const { times, observer, logger } = this.options;
    const { url, authorization } = this.endpoint;
    const socket = new WebSocket(url, {
      perMessageDeflate: false,
      maxPayload: FRAME_BYTES_MAX,
      lookup: names.lookup,
      // Not by the URL: ws would send user name and password with their escapes.
      ...(authorization !== undefined && { headers: { authorization } }),
    });
    this.socket = socket;
    let reason = '';
    const deadline = setTimeout(() => {
      reason = `no connection within ${times.dialTimeoutMs} ms`;
      socket.terminate();
    }, times.dialTimeoutMs);
    socket.once('open', () => {
      clearTimeout(deadline);
      this.heard();
      observer.connectionAttempt(true);
      observer.upstreamConnected(true);
      logger.info({ url: this.shown }, 'flashblocks upstream connected');
      this.state = 'connected';
      this.options.onOpen();
    });
    socket.on('message', (data, binary) => {
      this.heard();
      // Only a connection that delivered something is worth an early retry. One that is closed at once is not.
      this.retryMs = times.firstRetryMs;
      this.options.onFrame(data as Buffer, binary);
    });
    socket.on('ping', () => this.heard());
    socket.on('pong', (token) => {
      this.heard();
      this.passFence(token.toString('latin1'));
    });
    socket.on('error', (error) => (reason ||= error.message));
    socket.once('close', (code, closeReason) => {
      clearTimeout(deadline);
      if (this.stopped) return;
      this.lost(reason || `closed with ${code} ${closeReason.toString('utf8')}`.trimEnd());
    });
  }

  private lost(reason: string): void {
    const { times, observer, logger } = this.options;
    const was = this.state;
    this.state = 'lost';
    observer.upstreamConnected(false);
    if (was !== 'connected') observer.connectionAttempt(false);
    // One line per change: an upstream may be away for days.
    if (was !== 'lost') logger.warn({ url: this.shown, reason }, 'flashblocks upstream lost; retrying');
    this.retry = setTimeout(() => this.connect(), this.retryMs);
    this.retryMs = Math.min(2 * this.retryMs, times.lastRetryMs);
  }

  private heard(): void {
    this.heardAtMs = performance.now();
  }

  private ping(): void {
    if (this.socket?.readyState !== WebSocket.OPEN) return;
    if (performance.now() - this.heardAtMs > this.options.times.readTimeoutMs) this.socket.terminate();
    else this.socket.ping();
  }
}

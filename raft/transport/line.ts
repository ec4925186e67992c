import type { Socket } from 'node:net';
import { ConnectionLostError, type Connection } from './connection.js';
import type { Dial } from './dial.js';
import type { ConnectFailure } from './peer-failure.js';

export interface LineOptions {
  dial(): Dial;
  /** @param onLost called once, when the connection closes */
  connectionOver(socket: Socket, onLost: (connection: Connection) => void): Connection;
  /** A connection was opened. */
  onOpened(line: Line): void;
}

/** A peer that loses connections faster than this is not dialled again until a request needs it. */
const STABLE_MS = 1000;

/**
 * One connection to a peer, reopened when it is lost. A silent connection is not closed before another has replaced it,
 * because perhaps no new one can be opened.
 */
export class Line {
  private current: Connection | undefined;
  private dial: Dial | undefined;
  private opening: Promise<Connection> | undefined;
  private suspectSinceMs: number | undefined;
  private closed = false;

  constructor(private readonly options: LineOptions) {}

  get connection(): Connection | undefined {
    return this.current;
  }

  /** A request on the open connection failed, and nothing has come from there since. */
  get isSuspect(): boolean {
    const { current, suspectSinceMs } = this;
    return suspectSinceMs !== undefined && (current?.answeredMs ?? -Infinity) < suspectSinceMs;
  }

  /** Progress of the current attempt to connect. */
  get failure(): ConnectFailure | undefined {
    return this.dial?.state;
  }

  /** The open connection; dials if there is none. @throws PeerFailureError */
  open(): Promise<Connection> {
    return this.current ? Promise.resolve(this.current) : this.dialled();
  }

  /** A request on this connection failed: another connection shall replace it. */
  suspect(connection: Connection): void {
    if (this.current !== connection || this.closed) return;
    this.suspectSinceMs = performance.now();
    const isYoung = connection.answeredMs === undefined && isBefore(STABLE_MS, connection.openedMs);
    if (!isYoung) void this.dialled();
  }

  /** A node other than the peer answers on it. @returns its IP address; undefined if the connection was just opened */
  dropWrong(): string | undefined {
    const { current } = this;
    // The name may lead elsewhere now; if it does not, that is not a reason to dial endlessly.
    if (!current || isBefore(STABLE_MS, current.openedMs)) return undefined;
    this.current = undefined;
    current.replace();
    return current.ipAddress;
  }

  close(): void {
    this.closed = true;
    this.dial?.abort();
    this.current?.destroy();
  }

  private dialled(): Promise<Connection> {
    if (this.closed) return Promise.reject(new ConnectionLostError('this node no longer talks to the peer'));
    this.opening ??= this.start();
    return this.opening;
  }

  private start(): Promise<Connection> {
    const begunMs = performance.now();
    const dial = this.options.dial();
    this.dial = dial;
    const opening = dial.socket
      .then((socket) => this.use(socket, begunMs))
      .finally(() => {
        this.dial = undefined;
        this.opening = undefined;
      });
    // Perhaps nobody is waiting for it.
    opening.catch(() => undefined);
    return opening;
  }

  private use(socket: Socket, dialledMs: number): Connection {
    const old = this.current;
    if (old && (old.answeredMs ?? -Infinity) >= dialledMs) {
      socket.destroy();
      return old;
    }
    this.current = this.options.connectionOver(socket, (lost) => this.lost(lost));
    this.suspectSinceMs = undefined;
    old?.replace();
    if (this.closed) this.current.destroy();
    else this.options.onOpened(this);
    return this.current;
  }

  private lost(connection: Connection): void {
    if (this.current !== connection) return;
    this.current = undefined;
    this.suspectSinceMs = undefined;
    if (!this.closed && !isBefore(STABLE_MS, connection.openedMs)) void this.dialled();
  }
}

/** Whether less than this time has passed since then. */
const isBefore = (ms: number, sinceMs: number): boolean => performance.now() - sinceMs < ms;

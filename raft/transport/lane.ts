import { errors } from 'undici';
import { Connection, type HttpAnswer } from './connection.js';
import type { Dial } from './dial.js';
import { Line } from './line.js';
import { PeerFailureError } from './peer-failure.js';

export interface LaneOptions {
  /** Its id. */
  peer: string;
  connections: number;
  /** Requests under way on one connection. */
  pipelining: number;
  dial(): Dial;
}

/** How long a request may last. */
export interface Patience {
  ms: number;
  /** Starts again with each answer on the connection of the request: outgoing bytes prove nothing. */
  restartsWithProgress: boolean;
}

/** What keeps an idle connection open. */
export interface Greeting {
  path: string;
  ms: number;
}

/** The server closed a connection that was idle, while the request was on its way: worth one more try. */
const RESET_CODES = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);
/** Well below the time after which a server closes a silent connection. */
const GREET_AFTER_MS = 10_000;

/** Connections to one peer for one kind of traffic. */
export class Lane {
  private readonly lines: Line[];
  private closed = false;

  constructor(
    private readonly options: LaneOptions,
    private readonly greeting: () => Greeting,
  ) {
    const { connections, pipelining } = options;
    const line = (): Line =>
      new Line({
        dial: () => options.dial(),
        connectionOver: (socket, onLost) => new Connection(socket, pipelining, onLost),
        // A socket without a reader does not report that it was closed.
        onOpened: (opened) => setImmediate(() => this.greet(opened, 0)),
      });
    this.lines = Array.from({ length: connections }, line);
  }

  /**
   * Always ends when its patience does; the connection and the attempt to open one outlive it.
   *
   * @throws PeerFailureError, or what the connection says
   */
  post(
    path: string,
    headers: readonly string[],
    body: readonly Uint8Array[],
    patience: Patience,
  ): Promise<HttpAnswer> {
    return this.exchange((connection) => connection.post(path, headers, body), patience);
  }

  /** Opens closed connections, and keeps idle ones open. */
  keepWarm(): void {
    for (const line of this.lines) {
      if (line.connection) this.greet(line, GREET_AFTER_MS);
      else line.open().catch(() => undefined);
    }
  }

  /** A node other than the peer answers on the open connections. @returns the IP addresses where it does */
  dropWrong(): string[] {
    return this.lines.flatMap((line) => line.dropWrong() ?? []);
  }

  close(): void {
    this.closed = true;
    for (const line of this.lines) line.close();
  }

  private greet(line: Line, idleMs: number): void {
    const { connection } = line;
    if (!connection || connection.underWay > 0 || this.closed) return;
    if (performance.now() - connection.usedMs < idleMs) return;
    const { path, ms } = this.greeting();
    const timer = setTimeout(() => line.suspect(connection), ms);
    void connection
      .get(path)
      .catch(() => undefined)
      .finally(() => clearTimeout(timer));
  }

  private async exchange(
    send: (connection: Connection) => Promise<HttpAnswer>,
    { ms, restartsWithProgress }: Patience,
  ): Promise<HttpAnswer> {
    let on: Connection | undefined;
    let seen = 0;
    let timer: NodeJS.Timeout | undefined;
    let ended = false;
    const overdue = new Promise<never>((_, reject) => {
      const check = (): void => {
        if (restartsWithProgress && on && on.answers !== seen) {
          seen = on.answers;
          timer = setTimeout(check, ms);
          return;
        }
        if (on) this.lineOf(on)?.suspect(on);
        reject(on ? silence(on, ms) : this.notConnected(ms));
      };
      timer = setTimeout(check, ms);
    });
    const attempt = async (): Promise<HttpAnswer> => {
      let connection = this.ready();
      while (!connection) {
        const failure = await this.opening();
        connection = failure ? this.best() : this.ready();
        if (failure && !connection) throw failure;
      }
      if (ended) throw silence(connection, ms);
      on = connection;
      const answer = send(connection);
      seen = connection.answers;
      return answer;
    };
    const answer = attempt().catch((error: unknown) => {
      if (ended || this.closed || !on) throw error;
      if (on.isReplaced) throw silence(on, ms);
      if (!isReset(error)) throw error;
      on = undefined;
      return attempt();
    });
    try {
      return await Promise.race([answer, overdue]);
    } finally {
      ended = true;
      clearTimeout(timer);
    }
  }

  /** An open connection for the next request; undefined while it is worth waiting for another one. */
  private ready(): Connection | undefined {
    const best = this.best();
    if (!best || best.underWay < best.pipelining) return best;
    if (this.lineOf(best)?.isSuspect) throw silence(best, performance.now() - best.usedMs);
    return this.closedLines().length > 0 ? undefined : best;
  }

  /** Waits until one more connection is open. @returns why none could be opened */
  private async opening(): Promise<Error | undefined> {
    try {
      await Promise.any(this.closedLines().map((line) => line.open()));
      return undefined;
    } catch (error) {
      return (error as AggregateError).errors[0] as Error;
    }
  }

  /** The open connection that answers soonest. */
  private best(): Connection | undefined {
    const weight = (line: Line): number =>
      (line.connection?.underWay ?? Infinity) + (line.isSuspect ? this.options.pipelining : 0);
    return this.lines.reduce((best, other) => (weight(other) < weight(best) ? other : best)).connection;
  }

  private closedLines(): Line[] {
    return this.lines.filter(({ connection }) => !connection);
  }

  private lineOf(connection: Connection): Line | undefined {
    return this.lines.find((line) => line.connection === connection);
  }

  private notConnected(forMs: number): PeerFailureError {
    const failure = this.lines.map((line) => line.failure).find((found) => found !== undefined);
    const unknown = { phase: 'connect' as const, to: this.options.peer, forMs, tried: [] };
    return new PeerFailureError(failure ?? unknown, true);
  }
}

const silence = ({ peer }: Connection, noProgressMs: number): PeerFailureError =>
  new PeerFailureError({ phase: 'send', to: peer, noProgressMs }, true);

function isReset(error: unknown): boolean {
  return error instanceof errors.SocketError || RESET_CODES.has((error as { code?: string }).code ?? '');
}

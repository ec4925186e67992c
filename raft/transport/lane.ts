import { errors } from 'undici';
import { Connection, type HttpAnswer } from './connection.js';

export interface LaneOptions {
  connections: number;
  /** Requests under way on one connection. */
  pipelining: number;
}

/** No answer within the deadline. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

/** The server closed a connection that was idle, while the request was on its way: worth one more try. */
const RESET_CODES = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

/** Connections to one peer for one kind of traffic. */
export class Lane {
  private readonly connections: Connection[];
  private closed = false;

  constructor(
    private readonly address: string,
    private readonly options: LaneOptions,
  ) {
    this.connections = Array.from({ length: options.connections }, () => this.open());
  }

  /**
   * Ends by the deadline in any case: undici listens to no signal while it connects or while the request waits for
   * its turn, so the connection is given up, with all that is under way on it (bug 27).
   *
   * @throws DeadlineError, or what the connection says
   */
  post(
    path: string,
    headers: readonly string[],
    body: readonly Uint8Array[],
    deadlineMs: number,
  ): Promise<HttpAnswer> {
    const send = (connection: Connection): Promise<HttpAnswer> => connection.post(path, headers, body);
    return this.exchange(send, deadlineMs, (connection) => this.replace(connection));
  }

  /**
   * Asks on every idle connection at a time, so that all of them are open. Ends and throws as `post`, but requests that
   * came later are left in peace.
   */
  async getOnEach(path: string, deadlineMs: number): Promise<void> {
    const send = (connection: Connection): Promise<HttpAnswer> => connection.get(path);
    const onOverdue = (connection: Connection): void => {
      if (connection.underWay === 1) this.replace(connection);
    };
    const idle = this.connections.filter(({ underWay }) => underWay === 0);
    await Promise.all(idle.map(() => this.exchange(send, deadlineMs, onOverdue)));
  }

  private async exchange(
    send: (connection: Connection) => Promise<HttpAnswer>,
    deadlineMs: number,
    onOverdue: (connection: Connection) => void,
  ): Promise<HttpAnswer> {
    let connection = this.leastBusy();
    let timer: NodeJS.Timeout | undefined;
    let ended = false;
    const overdue = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        onOverdue(connection);
        reject(new DeadlineError(`no answer in ${Math.round(deadlineMs)} ms`));
      }, deadlineMs);
    });
    const answer = send(connection).catch((error: unknown) => {
      if (ended || this.closed) throw error;
      if (!this.connections.includes(connection)) throw new DeadlineError('no answer to a request before it');
      if (!isReset(error)) throw error;
      connection = this.leastBusy();
      return send(connection);
    });
    try {
      return await Promise.race([answer, overdue]);
    } finally {
      ended = true;
      clearTimeout(timer);
    }
  }

  close(): void {
    this.closed = true;
    for (const connection of this.connections) connection.destroy();
  }

  private open(): Connection {
    return new Connection(this.address, this.options.pipelining);
  }

  private leastBusy(): Connection {
    return this.connections.reduce((best, other) => (other.underWay < best.underWay ? other : best));
  }

  private replace(connection: Connection): void {
    const at = this.connections.indexOf(connection);
    connection.destroy();
    if (at >= 0 && !this.closed) this.connections[at] = this.open();
  }
}

function isReset(error: unknown): boolean {
  return error instanceof errors.SocketError || RESET_CODES.has((error as { code?: string }).code ?? '');
}

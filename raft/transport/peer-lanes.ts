import { Pool, errors } from 'undici';
import type { Member, RequestMessage } from '../core/types.js';
import { TransportError } from './errors.js';

export const FRAME_TYPE = 'application/x-baton-raft';
export const MESSAGE_PATH = '/raft/v1/message';

export interface LaneTimeouts {
  /** Heartbeats and votes. */
  controlMs: number;
  /** Appends; more for large ones. */
  bulkMs: number;
  snapshotMs: number;
}

/** Slowest link on which a large body may still arrive in time. */
const BYTES_PER_MS = 10_000;
/** Below the server's 75 s, so that the client closes an idle connection first. */
const IDLE_MS = 60_000;
/** The server closed a connection that was idle, while the request was on its way: worth one more try. */
const RESET_CODES = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

type Lane = 'control' | 'bulk' | 'snapshot';

const laneOf = (message: RequestMessage): Lane => {
  if (message.type === 'append') return 'bulk';
  return message.type === 'snapshot' ? 'snapshot' : 'control';
};

/** Connections of each lane: bulk has as many as appends may be under way, control one more than it needs. */
const CONNECTIONS: Record<Lane, number> = { control: 2, bulk: 2, snapshot: 1 };

/**
 * The connections to one peer. Heartbeats never wait behind payloads: a 1 MB body in front of one costs 8 ms at
 * 1 Gb/s, and more than an election timeout on a slow line (bug 55).
 */
export class PeerLanes {
  private readonly pools: Record<Lane, Pool>;

  constructor(
    readonly member: Member,
    private readonly timeouts: LaneTimeouts,
  ) {
    // The host name is resolved anew for every connection.
    const open = (lane: Lane): Pool =>
      new Pool(`http://${member.address}`, {
        connections: CONNECTIONS[lane],
        pipelining: 1,
        keepAliveTimeout: IDLE_MS,
        keepAliveMaxTimeout: IDLE_MS,
        connect: { timeout: timeouts.bulkMs },
      });
    this.pools = { control: open('control'), bulk: open('bulk'), snapshot: open('snapshot') };
  }

  /** Sends a frame and returns the answer's bytes. @throws TransportError */
  async exchange(message: RequestMessage, frame: readonly Uint8Array[]): Promise<Buffer> {
    const lane = laneOf(message);
    const length = frame.reduce((sum, chunk) => sum + chunk.length, 0);
    const deadlineMs = this.timeouts[`${lane}Ms`] + length / BYTES_PER_MS;
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), deadlineMs);
    try {
      return await this.attempt(lane, frame, length, deadline.signal).catch((error: unknown) => {
        if (deadline.signal.aborted || !isReset(error)) throw error;
        return this.attempt(lane, frame, length, deadline.signal);
      });
    } catch (error) {
      if (error instanceof TransportError) throw error;
      if (deadline.signal.aborted) {
        throw new TransportError(
          'timeout',
          this.member.id,
          `no answer to ${message.type} in ${Math.round(deadlineMs)} ms`,
        );
      }
      const reason = error instanceof Error ? error.message : String(error);
      throw new TransportError('unreachable', this.member.id, reason, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }

  async close(): Promise<void> {
    await Promise.all(Object.values(this.pools).map((pool) => pool.destroy()));
  }

  private async attempt(
    lane: Lane,
    frame: readonly Uint8Array[],
    length: number,
    signal: AbortSignal,
  ): Promise<Buffer> {
    const { statusCode, body } = await this.pools[lane].request({
      method: 'POST',
      path: MESSAGE_PATH,
      headers: { 'content-type': FRAME_TYPE, 'content-length': String(length) },
      // One write for small frames; large ones go out without being copied together.
      body: length < 64 * 1024 ? Buffer.concat(frame) : (frame as never),
      signal,
    });
    const answer = Buffer.from(await body.arrayBuffer());
    if (statusCode !== 200) {
      throw new TransportError(
        'refused',
        this.member.id,
        `${statusCode} ${answer.toString('utf8').slice(0, 500)}`,
      );
    }
    return answer;
  }
}

function isReset(error: unknown): boolean {
  return error instanceof errors.SocketError || RESET_CODES.has((error as { code?: string }).code ?? '');
}

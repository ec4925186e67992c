import type { Member } from '../core/configuration.js';
import { TransportError, type Refusal } from './errors.js';
import { HELLO_PATH } from './hello.js';
import type { WireRequest } from './wire-message.js';
import { DeadlineError, Lane, type LaneOptions } from './lane.js';

export const FRAME_TYPE = 'application/x-baton-raft';
export const MESSAGE_PATH = '/raft/v1/message';

/** Deadlines of requests, by what they carry. */
export interface LaneTimeouts {
  /** Heartbeats and votes. */
  controlMs: number;
  /** Appends; more for large ones. */
  bulkMs: number;
  snapshotMs: number;
}

/** Slowest link on which a large body may still arrive in time. */
const BYTES_PER_MS = 10_000;

type LaneName = 'control' | 'bulk' | 'snapshot';

const laneOf = (message: WireRequest): LaneName => {
  if (message.type === 'append') return 'bulk';
  return message.type === 'snapshot' || message.type === 'snapshotChunk' ? 'snapshot' : 'control';
};

/**
 * Appends share one connection, so that they arrive in the order of the log: a small one that overtook a large one
 * would be refused, and both sent again. Heartbeats and votes do not wait for the answers to those before, which
 * may take a long way; the second connection is for them while the first waits for a vote to reach the peer's disk.
 */
const LANES: Record<LaneName, LaneOptions> = {
  control: { connections: 2, pipelining: 8 },
  bulk: { connections: 1, pipelining: 2 },
  snapshot: { connections: 1, pipelining: 1 },
};

/**
 * The connections to one peer. Heartbeats never wait behind payloads: a 1 MB body in front of one costs 8 ms at
 * 1 Gb/s, and more than an election timeout on a slow line (bug 55).
 */
export class PeerLanes {
  private readonly lanes: Record<LaneName, Lane>;

  constructor(
    readonly member: Member,
    private readonly timeouts: () => LaneTimeouts,
  ) {
    const open = (name: LaneName): Lane => new Lane(member.address, LANES[name]);
    this.lanes = { control: open('control'), bulk: open('bulk'), snapshot: open('snapshot') };
  }

  /** Sends a frame and returns the answer's bytes. @throws TransportError */
  async exchange(
    message: WireRequest,
    frame: readonly Uint8Array[],
    headers: readonly string[],
  ): Promise<Buffer> {
    const { id } = this.member;
    const name = laneOf(message);
    const length = frame.reduce((sum, chunk) => sum + chunk.length, 0);
    const deadlineMs = this.timeouts()[`${name}Ms`] + length / BYTES_PER_MS;
    const { status, body } = await this.lanes[name]
      .post(MESSAGE_PATH, ['content-type', FRAME_TYPE, ...headers], frame, deadlineMs)
      .catch((error: Error) => {
        const code = error instanceof DeadlineError ? 'timeout' : 'unreachable';
        throw new TransportError(code, id, `${message.type}: ${error.message}`, { cause: error });
      });
    if (status === 200) return body;
    const code = status === 503 ? 'unanswered' : 'refused';
    const text = body.toString('utf8');
    throw new TransportError(code, id, `${status} ${text.slice(0, 500)}`, { refusal: refusalIn(text) });
  }

  /**
   * Opens the connections for heartbeats and votes, or keeps them open: two followers have none between them until one
   * stands for election, and then every millisecond counts.
   */
  async keepWarm(): Promise<void> {
    await this.lanes.control.getOnEach(HELLO_PATH, this.timeouts().controlMs).catch(() => undefined);
  }

  close(): void {
    for (const lane of Object.values(this.lanes)) lane.close();
  }
}

function refusalIn(text: string): Refusal {
  try {
    return (JSON.parse(text) ?? {}) as Refusal;
  } catch {
    return {};
  }
}

import type { Member } from '../core/configuration.js';
import { Dial, type DialOptions } from './dial.js';
import { isOfAnother, TransportError, type Refusal } from './errors.js';
import { HELLO_PATH } from './hello.js';
import { parseHostPort, type HostPort } from './host-port.js';
import { Lane, type LaneOptions, type Patience } from './lane.js';
import { PeerFailureError } from './peer-failure.js';
import type { WireRequest } from './wire-message.js';

export const FRAME_TYPE = 'application/x-baton-raft';
export const MESSAGE_PATH = '/raft/v1/message';

/** Deadlines of requests, by what they carry. */
export interface LaneTimeouts {
  /** Heartbeats and votes: until the answer. */
  controlMs: number;
  /** Appends: without any progress; more for large ones. */
  bulkMs: number;
  /** Pieces of snapshots, likewise. */
  snapshotMs: number;
}

/** The slowest line on which a body arrives in time: 1 Mbit/s. */
const BYTES_PER_MS = 125;

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
const LANES: Record<LaneName, Pick<LaneOptions, 'connections' | 'pipelining'>> = {
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

  private readonly to: HostPort;

  /** @throws Error for a member whose address is none */
  constructor(
    readonly member: Member,
    private readonly timeouts: () => LaneTimeouts,
    private readonly dialOptions: DialOptions,
  ) {
    const { address } = member;
    const to = parseHostPort(address);
    if (!to) throw new Error(`${JSON.stringify(address)} is not of the form host:port`);
    this.to = to;
    const dial = (): Dial => new Dial(to, dialOptions);
    const greeting = (): { path: string; ms: number } => ({ path: HELLO_PATH, ms: timeouts().controlMs });
    const open = (name: LaneName): Lane => new Lane({ address, dial, ...LANES[name] }, greeting);
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
    const { status, body } = await this.lanes[name]
      .post(MESSAGE_PATH, ['content-type', FRAME_TYPE, ...headers], frame, this.patience(name, frame))
      .catch((error: Error) => {
        const { failure, isOverdue } = error instanceof PeerFailureError ? error : {};
        const code = isOverdue ? 'timeout' : 'unreachable';
        const options = { cause: error, ...(failure ? { failure } : {}) };
        throw new TransportError(code, id, `${message.type}: ${error.message}`, options);
      });
    if (status === 200) return body;
    const code = status === 503 ? 'unanswered' : 'refused';
    const text = body.toString('utf8');
    const refusal = refusalIn(text);
    if (isOfAnother(refusal)) this.dropWrong();
    throw new TransportError(code, id, `${status} ${text.slice(0, 500)}`, { refusal });
  }

  /**
   * Opens the connections, or keeps them open: two followers send nothing to each other until one stands for election,
   * and then every millisecond counts; and there may be no way to open one when a leader needs it.
   */
  keepWarm(): void {
    for (const lane of Object.values(this.lanes)) lane.keepWarm();
  }

  close(): void {
    for (const lane of Object.values(this.lanes)) lane.close();
  }

  private patience(name: LaneName, frame: readonly Uint8Array[]): Patience {
    const ms = this.timeouts()[`${name}Ms`];
    if (name === 'control') return { ms, restartsWithProgress: false };
    const length = frame.reduce((sum, chunk) => sum + chunk.length, 0);
    return { ms: ms + length / BYTES_PER_MS, restartsWithProgress: true };
  }

  /** The peer is not where its connections lead: its name may lead elsewhere by now. */
  private dropWrong(): void {
    for (const lane of Object.values(this.lanes)) {
      for (const address of lane.dropWrong()) this.dialOptions.names.isWrong(this.to.host, address);
    }
  }
}

function refusalIn(text: string): Refusal {
  try {
    return (JSON.parse(text) ?? {}) as Refusal;
  } catch {
    return {};
  }
}

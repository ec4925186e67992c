import type { NodeId } from '../core/configuration.js';
import type { Dial } from './dial.js';
import { isOfAnother, TransportError, type Refusal } from './errors.js';
import { HELLO_PATH } from './hello.js';
import { Lane, type Greeting, type LaneOptions, type Patience } from './lane.js';
import { Pace } from './pace.js';
import type { PeerAddress } from './peer-address.js';
import { failureText, PeerFailureError, type PeerFailure } from './peer-failure.js';
import type { WireRequest } from './wire-message.js';

export const FRAME_TYPE = 'application/x-baton-raft';
export const MESSAGE_PATH = '/raft/v1/message';

/** Deadlines of requests, by what they carry. */
export interface LaneTimeouts {
  /** Heartbeats and votes: until the answer. */
  controlMs: number;
  /** Appends and pieces of large entries: without any progress; more for large ones. */
  bulkMs: number;
  /** Pieces of snapshots, likewise. */
  snapshotMs: number;
}

type LaneName = 'control' | 'bulk' | 'pieces';

const laneOf = ({ type }: WireRequest): LaneName => {
  if (type === 'append') return 'bulk';
  return type === 'entryChunk' || type === 'snapshotChunk' || type === 'snapshot' ? 'pieces' : 'control';
};

/**
 * Appends share one connection, so that they arrive in the order of the log: a small one that overtook a large one
 * would be refused, and both sent again. Pieces have their own: an append is answered when the disk has it, and pieces
 * need not wait for that. Heartbeats and votes do not wait for earlier answers, which may come from far away; they use
 * the second connection while the first waits for a vote to reach the peer's disk.
 */
const LANES: Record<LaneName, Pick<LaneOptions, 'connections' | 'pipelining'>> = {
  control: { connections: 2, pipelining: 8 },
  bulk: { connections: 1, pipelining: 2 },
  pieces: { connections: 1, pipelining: 2 },
};

/** A line gets this long even if it carries a piece ten times slower than the piece was sized for. */
const PIECE_MS = 1500;
const LARGE_BODY_MS_MAX = 60_000;

/**
 * The connections to one peer. Heartbeats never wait behind payloads: a 1 MB body in front of one costs 8 ms at
 * 1 Gb/s, and more than an election timeout on a slow line.
 */
export class PeerLanes {
  readonly pace = new Pace();
  private readonly lanes: Record<LaneName, Lane>;

  /** How long a write of the peer's disk had been under way at its last answer, if the peer said so. */
  private writing: { forMs: number; toldMs: number } | undefined;

  constructor(
    private readonly id: NodeId,
    private readonly address: PeerAddress,
    private readonly timeouts: () => LaneTimeouts,
  ) {
    const dial = (): Dial => address.dial();
    const greeting = (): Greeting => ({ path: HELLO_PATH, ms: timeouts().controlMs });
    const open = (name: LaneName): Lane => new Lane({ peer: id, dial, ...LANES[name] }, greeting);
    this.lanes = { control: open('control'), bulk: open('bulk'), pieces: open('pieces') };
  }

  /** Sends a frame and returns the answer's bytes. @throws TransportError */
  async exchange(
    message: WireRequest,
    frame: readonly Uint8Array[],
    headers: readonly string[],
  ): Promise<Buffer> {
    const { id } = this;
    const name = laneOf(message);
    const begunMs = performance.now();
    const { status, body, writingForMs } = await this.lanes[name]
      .post(MESSAGE_PATH, ['content-type', FRAME_TYPE, ...headers], frame, this.patience(message, frame))
      .catch((error: Error) => {
        throw this.asTransportError(error, message, name);
      });
    const answeredMs = performance.now();
    this.writing = writingForMs === undefined ? undefined : { forMs: writingForMs, toldMs: answeredMs };
    if (name === 'control') this.pace.roundTrip(answeredMs - begunMs);
    if (status === 200) return body;
    const code = status === 503 ? 'unanswered' : 'refused';
    const text = body.toString('utf8');
    const refusal = refusalIn(text);
    if (isOfAnother(refusal)) this.dropWrong();
    throw new TransportError(code, id, `${status} ${text.slice(0, 500)}`, { refusal });
  }

  /**
   * Opens the connections, or keeps them open. Two followers send nothing to each other until one stands for election,
   * and then every millisecond counts; and perhaps none can be opened when a leader needs it.
   */
  keepWarm(): void {
    for (const lane of Object.values(this.lanes)) lane.keepWarm();
  }

  close(): void {
    for (const lane of Object.values(this.lanes)) lane.close();
  }

  private asTransportError(error: Error, { type }: WireRequest, lane: LaneName): TransportError {
    const { id } = this;
    if (!(error instanceof PeerFailureError)) {
      return new TransportError('unreachable', id, `${type}: ${error.message}`, { cause: error });
    }
    const { isOverdue } = error;
    const code = isOverdue ? 'timeout' : 'unreachable';
    if (lane === 'control') {
      const { failure, message } = error;
      return new TransportError(code, id, `${type}: ${message}`, { cause: error, failure });
    }
    if (isOverdue) this.pace.failed();
    const failure = this.diskFailure(error.failure) ?? error.failure;
    return new TransportError(code, id, `${type}: ${failureText(failure)}`, { cause: error, failure });
  }

  /** Heartbeats wait for no disk, and their answers say what the others wait for. */
  private diskFailure({ phase }: PeerFailure): PeerFailure | undefined {
    const { writing } = this;
    if (phase !== 'send' || !writing) return undefined;
    const agoMs = performance.now() - writing.toldMs;
    if (agoMs > 2 * this.timeouts().controlMs) return undefined;
    return { phase: 'peer-disk', writingForMs: writing.forMs + agoMs };
  }

  private patience({ type }: WireRequest, frame: readonly Uint8Array[]): Patience {
    const { controlMs, bulkMs, snapshotMs } = this.timeouts();
    const isWork = type === 'append' || type === 'entryChunk';
    if (!isWork && type !== 'snapshot' && type !== 'snapshotChunk') {
      return { ms: controlMs, restartsWithProgress: false };
    }
    const length = frame.reduce((sum, chunk) => sum + chunk.length, 0);
    const bodyMs = Math.min((PIECE_MS * length) / this.pace.pieceBytes, LARGE_BODY_MS_MAX);
    return { ms: (isWork ? bulkMs : snapshotMs) + bodyMs, restartsWithProgress: true };
  }

  /** The peer is not where its connections lead. */
  private dropWrong(): void {
    this.address.noteWrong(Object.values(this.lanes).flatMap((lane) => lane.dropWrong()));
  }
}

function refusalIn(text: string): Refusal {
  try {
    return (JSON.parse(text) ?? {}) as Refusal;
  } catch {
    return {};
  }
}

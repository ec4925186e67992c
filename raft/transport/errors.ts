import type { PeerFailure } from './peer-failure.js';

/** What an operator can do, by code. */
const REMEDIES = {
  'bad-magic': 'only Baton nodes may talk to the consensus port: find out which program connects to it',
  'wrong-version':
    'upgrade the older of the two nodes, one release at a time: a release speaks its own wire version and the one before (docs/FORMATS.md)',
  'too-large': 'give all nodes the same body limit',
  'wrong-length': 'the frame was cut or padded in transit: look for a proxy between the nodes',
  'bad-crc': 'the bytes were damaged in transit: check network and memory of both hosts',
  malformed: 'run the same release on all nodes, and report this if they do',
  'wrong-cluster':
    'the two nodes belong to different clusters: check the addresses, or wipe the storage directory of the one that is to join',
  'wrong-node': 'another node runs at this address: correct the address of the member',
  'wrong-incarnation':
    'the disk is not the one that was added under this id: remove the member and add it again',
  'not-a-member':
    'the sender was removed from the cluster, or comes from before it was added: compare the members on both nodes (baton status), and add it again if it is to belong',
  'too-many-requests':
    'a member asks faster than it is answered: repeat the call; if that goes on, find out what holds the answering node up (baton status)',
  'wrong-sender':
    "a member may speak as itself only: compare --raft.server.id of the sender with the names in its certificate; if they agree, somebody misuses that member's key",
  'identity-used-twice':
    'two processes use one disk identity, so a copy of a storage directory was started: only the process at the address of the member counts; stop the other one and move its directory away (to run it as a node of its own, start it on an empty directory under another id); never start a copy of a directory',
  'identity-unproven':
    'the sender does not answer at the address that the cluster has for it, so it may be a copy of that disk: if the member has moved, tell the cluster its new address (baton add ID HOST:PORT, or --raft.peers on every node); if it has not, look for what lies between the two nodes, or stop the sender',
} as const;

export type FrameErrorCode = keyof typeof REMEDIES;

/** Codes of frames that reached the wrong node. */
const ELSEWHERE: ReadonlySet<unknown> = new Set<FrameErrorCode>([
  'wrong-cluster',
  'wrong-node',
  'wrong-incarnation',
]);

const CONFLICTS: ReadonlySet<FrameErrorCode> = new Set([
  'wrong-cluster',
  'wrong-node',
  'wrong-incarnation',
  'not-a-member',
  'wrong-sender',
  'identity-used-twice',
  'identity-unproven',
]);

/** Bytes that are not a frame for this node. The node acted on none of them. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
  readonly remedy: string;

  constructor(
    readonly code: FrameErrorCode,
    message: string,
  ) {
    super(message);
    this.remedy = REMEDIES[code];
  }

  get withRemedy(): string {
    return `${this.message}: ${this.remedy}`;
  }

  /** 409 when the frame is meant for another cluster, node or disk, or its sender does not count. */
  get httpStatus(): 400 | 409 | 413 | 429 {
    if (this.code === 'too-large') return 413;
    if (this.code === 'too-many-requests') return 429;
    return CONFLICTS.has(this.code) ? 409 : 400;
  }
}

/**
 * - `timeout`: no answer within the deadline
 * - `unreachable`: no connection, or a broken one
 * - `refused`: the peer answered, but not with a frame (`detail` has its words, `refusal` their meaning)
 * - `unanswered`: the peer took the request, but events overtook it
 * - `unknown-peer`: not a member
 * - `unknown-request`: the peer runs a release that does not know such requests
 */
export type TransportErrorCode =
  'timeout' | 'unreachable' | 'refused' | 'unanswered' | 'unknown-peer' | 'unknown-request';

/** The body of an answer that is not a frame, as far as it can be read. */
export interface Refusal {
  code?: unknown;
  /** Beside `wrong-version`: what the peer speaks. */
  speaks?: unknown;
}

/** Whether a peer refused because it is not the intended one. */
export function isOfAnother({ code }: Refusal): boolean {
  return ELSEWHERE.has(code);
}

/** A request without an answer. Whether the peer acted on it is unknown, unless `hadNoEffect` says that it did not. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  readonly refusal: Refusal | undefined;
  /** Where it failed, if that is known. */
  readonly failure: PeerFailure | undefined;
  /** The request was not sent, or refused before anybody acted on it. */
  readonly hadNoEffect: boolean;

  constructor(
    readonly code: TransportErrorCode,
    readonly peer: string,
    detail: string,
    options: ErrorOptions & { refusal?: Refusal; failure?: PeerFailure; hadNoEffect?: boolean } = {},
  ) {
    super(`${peer}: ${detail}`, options);
    this.hadNoEffect = options.hadNoEffect ?? false;
    this.refusal = options.refusal;
    this.failure = options.failure;
  }
}

/** What an operator can do, by code. */
const REMEDIES = {
  'bad-magic': 'only Baton nodes may talk to the consensus port: find out which program connects to it',
  'wrong-version': 'upgrade the older of the two nodes',
  'wrong-length': 'the frame was cut or padded on its way: look for a proxy between the nodes',
  'bad-crc': 'the bytes were damaged on their way: check network and memory of both hosts',
  malformed: 'run the same release on all nodes, and report this if they do',
  'wrong-cluster':
    'the two nodes belong to different clusters: check the addresses, or wipe the storage directory of the one that is to join',
  'wrong-node': 'another node runs at this address: correct the address of the member',
  'wrong-incarnation':
    'the disk is not the one that was added under this id: remove the member and add it again',
} as const;

export type FrameErrorCode = keyof typeof REMEDIES;

/** Bytes that are no frame for this node. Nothing of them was acted upon. */
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

  /** True when the frame is sound, but meant for another cluster, node or disk. */
  get isMisdirected(): boolean {
    return this.code === 'wrong-cluster' || this.code === 'wrong-node' || this.code === 'wrong-incarnation';
  }
}

/**
 * - `timeout`: no answer within the deadline
 * - `unreachable`: no connection, or it broke
 * - `refused`: the peer answered, but not with a frame (`detail` has its words)
 * - `unanswered`: the peer took the request, but events overtook it
 * - `unknown-peer`: not a member
 */
export type TransportErrorCode = 'timeout' | 'unreachable' | 'refused' | 'unanswered' | 'unknown-peer';

/** A request that brought no answer. Whether the peer acted on it is unknown. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  constructor(
    readonly code: TransportErrorCode,
    readonly peer: string,
    detail: string,
    options?: ErrorOptions,
  ) {
    super(`${peer}: ${detail}`, options);
  }
}

export type FrameErrorCode =
  | 'bad-magic'
  | 'wrong-version'
  | 'wrong-length'
  | 'bad-crc'
  | 'malformed'
  | 'wrong-cluster'
  | 'wrong-node'
  | 'wrong-incarnation';

/** Bytes that are no frame for this node. Nothing of them was acted upon. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
  constructor(
    readonly code: FrameErrorCode,
    message: string,
  ) {
    super(message);
  }
}

/**
 * - `timeout`: no answer within the deadline
 * - `unreachable`: no connection, or it broke
 * - `refused`: the peer answered, but not with a frame (`detail` has its words)
 * - `unknown-peer`: not a member
 */
export type TransportErrorCode = 'timeout' | 'unreachable' | 'refused' | 'unknown-peer';

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

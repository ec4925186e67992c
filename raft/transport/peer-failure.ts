/** No connection to a peer. */
export interface ConnectFailure {
  phase: 'connect';
  /** What was dialled: `host:port`. */
  to: string;
  /** For how long, ms. */
  forMs: number;
  /** Outcome of the look-up of its name, if that is the problem: an error code, or `under way`. */
  lookUp?: string;
  /** Each IP address that was tried, with an error code, or `no answer` while there is none. */
  tried: readonly { address: string; error: string }[];
}

/** The peer is connected, but has given no sign of life since it was sent something. */
export interface SendFailure {
  phase: 'send';
  /** IP address and port of the peer. */
  to: string;
  /** How long no answer has come, ms. */
  noProgressMs: number;
}

/** The peer is there, and says that its disk has not finished a write. */
export interface PeerDiskFailure {
  phase: 'peer-disk';
  /** How long that write has been under way, ms. */
  writingForMs: number;
}

/** Why a peer does not carry out a request: where it fails. */
export type PeerFailure = ConnectFailure | SendFailure | PeerDiskFailure;

/** The failure in words. */
export function failureText(failure: PeerFailure): string {
  switch (failure.phase) {
    case 'connect': {
      const { to, forMs, lookUp, tried } = failure;
      const lookedUp = lookUp === undefined ? [] : [`name lookup: ${lookUp}`];
      const details = [...lookedUp, ...tried.map(({ address, error }) => `${address}: ${error}`)];
      // An attempt that has already failed needs no time.
      const isWaiting = tried.length === 0 || tried.some(({ error }) => error === 'no answer');
      const time = isWaiting || lookUp === 'under way' ? ` for ${Math.round(forMs)} ms` : '';
      return `no connection to ${to}${time} (${details.join(', ') || 'just begun'})`;
    }
    case 'send':
      return `no answer in ${Math.round(failure.noProgressMs)} ms`;
    case 'peer-disk':
      return `its disk has not finished a write for ${Math.round(failure.writingForMs)} ms`;
  }
}

/** A request failed at a known place on the way to the peer. */
export class PeerFailureError extends Error {
  override readonly name = 'PeerFailureError';

  /** @param isOverdue it was given up; otherwise the attempt has failed */
  constructor(
    readonly failure: PeerFailure,
    readonly isOverdue: boolean,
  ) {
    super(failureText(failure));
  }
}

/** True when every address of the host refused the connection: nobody listens there. */
export function isRefused(failure: PeerFailure | undefined): boolean {
  if (failure?.phase !== 'connect' || failure.lookUp !== undefined) return false;
  return failure.tried.length > 0 && failure.tried.every(({ error }) => error === 'ECONNREFUSED');
}

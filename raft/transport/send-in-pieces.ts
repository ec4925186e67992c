import { FrameError } from './errors.js';
import type { Pace } from './pace.js';

export interface PiecesOptions {
  /** Of all data. */
  byteLength: number;
  /** The data from `offset` on, or the beginning of them. */
  read: (offset: number) => Uint8Array | Promise<Uint8Array>;
  /** Sends a piece; resolves with how many bytes are there now, all from the first on. */
  send: (offset: number, data: Uint8Array) => Promise<number>;
  /** How much may be there already; undefined to ask first. */
  from: number | undefined;
  /** Pieces that may be under way at once. */
  window: number;
  pace: Pick<Pace, 'pieceBytes' | 'answered'>;
  /** This many bytes are there now. */
  onProgress?(bytes: number): void;
  signal?: AbortSignal;
}

interface Piece {
  end: number;
  answer: Promise<number>;
}

/** The receiver may lose its bytes, or another sender may interfere; not forever. */
const SETBACKS_MAX = 3;

/** Brings data to a peer piece by piece, from where the peer stopped. @throws what `send` throws, FrameError */
export async function sendInPieces(options: PiecesOptions): Promise<void> {
  const { byteLength, window, signal } = options;
  let received = options.from ?? checked(await options.send(0, new Uint8Array(0)), byteLength);
  let at = received;
  let setbacks = 0;
  let underWay: Piece[] = [];
  while (received < byteLength) {
    while (underWay.length < window && at < byteLength) {
      signal?.throwIfAborted();
      const piece = begin(options, at, await options.read(at));
      underWay.push(piece);
      at = piece.end;
    }
    const { end, answer } = underWay.shift() as Piece;
    const there = checked(await answer, byteLength);
    if (there > received) options.onProgress?.(there);
    received = there;
    if (there >= end) {
      at = Math.max(at, there);
      continue;
    }
    setbacks += 1;
    if (setbacks > SETBACKS_MAX)
      throw new FrameError('malformed', `the receiver has ${there} bytes after a piece that ended at ${end}`);
    // The pieces under way were meant to follow this one.
    await Promise.all(underWay.map((piece) => piece.answer));
    underWay = [];
    at = there;
  }
}

function begin({ send, pace }: PiecesOptions, offset: number, data: Uint8Array): Piece {
  const piece = data.subarray(0, pace.pieceBytes);
  const begunMs = performance.now();
  const answer = send(offset, piece).then((received) => {
    pace.answered(piece.length, performance.now() - begunMs);
    return received;
  });
  // Perhaps an earlier one fails, and nobody waits for this one.
  answer.catch(() => undefined);
  return { end: offset + piece.length, answer };
}

function checked(received: number, byteLength: number): number {
  if (received <= byteLength) return received;
  throw new FrameError('malformed', `${received} of ${byteLength} bytes arrived`);
}

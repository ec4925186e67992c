import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { KIB, MIB } from '../../../common/bytes.js';
import { HEADROOM_BYTES } from '../../payload/unsafe-payload.js';

/** Why a body was not taken; `statusCode` is for fastify. */
export class BodyError extends Error {
  constructor(
    message: string,
    readonly statusCode: number,
  ) {
    super(message);
    this.name = 'BodyError';
  }
}

interface Holding {
  bytes: number;
  sinceMs: number;
  socket: Socket;
}

const FIRST_BYTES = 64 * KIB;
/** Room for all that was announced is made at once up to here, beyond when so much of it has come. */
const TRUSTED_BYTES = MIB;
/** A body in pieces of a few bytes costs a hundred times its size, and holds up the event loop. */
const SMALL_PIECES_ALLOWED = 4096;
const PIECE_BYTES_MIN = 512;

/**
 * Reads request bodies, and bounds what all of them together hold in memory, from their first byte to the end of
 * their response. Beyond that the request goes that held most for longest: op-node's come and go within
 * milliseconds and get through, however many others send large bodies slowly or do not read their answers.
 */
export class BodyBudget {
  private held = 0;
  private readonly holdings = new Set<Holding>();

  constructor(
    private readonly bodyBytesMax: number,
    private readonly totalBytesMax: number,
  ) {}

  /**
   * The body comes with `HEADROOM_BYTES` before it in its memory, for those who keep it.
   *
   * @throws BodyError 413 or 400
   */
  read(request: IncomingMessage, response: ServerResponse): Promise<Buffer> {
    // Nothing would tell any more that it is over.
    if (request.socket.destroyed) return Promise.reject(endedEarly());
    const holding: Holding = { bytes: 0, sinceMs: performance.now(), socket: request.socket };
    this.holdings.add(holding);
    response.once('close', () => this.release(holding));
    return new Promise((resolve, reject) => {
      const announced = Number(request.headers['content-length'] ?? 0);
      /** Headroom, then the body. */
      let memory = Buffer.allocUnsafe(HEADROOM_BYTES);
      let length = 0;
      let pieces = 0;
      const take = (piece: Buffer): void => {
        const problem = this.problem(length + piece.length, ++pieces);
        if (problem) {
          request.off('data', take);
          return reject(problem);
        }
        if (HEADROOM_BYTES + length + piece.length > memory.length) {
          const trusted = announced <= TRUSTED_BYTES || length >= TRUSTED_BYTES;
          const room = (trusted && announced) || Math.max(FIRST_BYTES, 2 * length);
          const bytes = Math.min(this.bodyBytesMax, Math.max(room, length + piece.length));
          const larger = Buffer.allocUnsafe(HEADROOM_BYTES + bytes);
          memory.copy(larger, HEADROOM_BYTES, HEADROOM_BYTES, HEADROOM_BYTES + length);
          this.hold(holding, bytes - holding.bytes);
          memory = larger;
        }
        piece.copy(memory, HEADROOM_BYTES + length);
        length += piece.length;
      };
      request.on('data', take);
      request.once('end', () => resolve(memory.subarray(HEADROOM_BYTES, HEADROOM_BYTES + length)));
      request.once('error', (error) => reject(new BodyError(error.message, 400)));
      request.once('close', () => reject(endedEarly()));
    });
  }

  private problem(length: number, pieces: number): BodyError | undefined {
    if (length > this.bodyBytesMax) return new BodyError('the body is too large', 413);
    if (pieces > SMALL_PIECES_ALLOWED + length / PIECE_BYTES_MIN) {
      return new BodyError('the body comes in pieces that are too small', 400);
    }
    return undefined;
  }

  private hold(holding: Holding, bytes: number): void {
    if (!this.holdings.has(holding)) return;
    holding.bytes += bytes;
    this.held += bytes;
    while (this.held > this.totalBytesMax) {
      const worst = this.worst();
      this.release(worst);
      worst.socket.destroy();
    }
  }

  private worst(): Holding {
    const now = performance.now();
    const weight = ({ bytes, sinceMs }: Holding): number => bytes * (now - sinceMs);
    return [...this.holdings].reduce((worst, holding) => (weight(holding) > weight(worst) ? holding : worst));
  }

  private release(holding: Holding): void {
    if (this.holdings.delete(holding)) this.held -= holding.bytes;
  }
}

function endedEarly(): BodyError {
  return new BodyError('the body ended early', 400);
}

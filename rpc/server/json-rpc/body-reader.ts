import type { IncomingMessage, ServerResponse } from 'node:http';
import { KIB, MIB } from '../../../common/bytes.js';
import { HEADROOM_BYTES } from '../../payload/unsafe-payload.js';
import type { MemoryBudget } from './memory-budget.js';

/** Why a body was not taken; `statusCode` is for fastify. */
class BodyError extends Error {
  constructor(
    message: string,
    readonly statusCode: number,
  ) {
    super(message);
    this.name = 'BodyError';
  }
}

const FIRST_BYTES = 64 * KIB;
/** An announced body up to this size gets its memory at once; a larger one once this much of it has arrived. */
const TRUSTED_BYTES = MIB;
/** A body in pieces of a few bytes takes a hundred times its size, and holds up the event loop. */
const SMALL_PIECES_ALLOWED = 4096;
const PIECE_BYTES_MIN = 512;

/**
 * Reads request bodies. Each counts against the budget from its first byte to the end of its response; beyond the
 * budget connections are cut off. op-node's requests come and go within milliseconds and get through, even when many
 * others send large bodies slowly or do not read their answers.
 */
export class BodyReader {
  constructor(
    private readonly bodyBytesMax: number,
    private readonly budget: MemoryBudget,
  ) {}

  /**
   * The body has `HEADROOM_BYTES` before it in its memory, for users that keep it.
   *
   * @throws BodyError 413 or 400
   */
  read(request: IncomingMessage, response: ServerResponse): Promise<Buffer> {
    // Nothing would report its end from now on.
    if (request.socket.destroyed) return Promise.reject(endedEarly());
    const { socket } = request;
    const holding = this.budget.open(() => socket.destroy());
    response.once('close', () => this.budget.release(holding));
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
          this.budget.hold(holding, bytes - holding.bytes);
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
}

function endedEarly(): BodyError {
  return new BodyError('the body ended early', 400);
}

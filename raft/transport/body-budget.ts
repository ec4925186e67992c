import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { FrameError } from './errors.js';

interface Holding {
  bytes: number;
  sinceMs: number;
  socket: Socket;
}

const FIRST_BYTES = 64 * 1024;
/** An announced body up to this size gets its memory at once; a larger one once this much of it has arrived. */
const TRUSTED_BYTES = 2 ** 20;

/**
 * Reads the bodies of frames, whose length was announced, and bounds the memory that all of them hold together, from
 * their first byte to the end of their response. Beyond that, it closes the connection that has held the most for the
 * longest: the messages of a working peer come and go within milliseconds, even while others send large bodies slowly.
 */
export class BodyBudget {
  private held = 0;
  private readonly holdings = new Set<Holding>();

  constructor(private readonly totalBytesMax: number) {}

  /**
   * @param byteLength of the body; the HTTP parser takes no more than was announced
   * @throws FrameError `wrong-length` when it ends early
   */
  read(request: IncomingMessage, response: ServerResponse, byteLength: number): Promise<Buffer> {
    const holding: Holding = { bytes: 0, sinceMs: performance.now(), socket: request.socket };
    this.holdings.add(holding);
    response.once('close', () => this.release(holding));
    return new Promise((resolve, reject) => {
      let buffer = Buffer.alloc(0);
      let length = 0;
      // Copied at once: pieces of a byte each, kept until the end, would take a hundred times their size.
      request.on('data', (piece: Buffer) => {
        const end = length + piece.length;
        if (end > buffer.length) {
          const trusted = byteLength <= TRUSTED_BYTES || length >= TRUSTED_BYTES;
          const room = trusted ? byteLength : Math.max(FIRST_BYTES, 2 * buffer.length, end);
          const larger = Buffer.allocUnsafe(Math.min(byteLength, room));
          buffer.copy(larger, 0, 0, length);
          this.hold(holding, larger.length - buffer.length);
          buffer = larger;
        }
        piece.copy(buffer, length);
        length = end;
      });
      request.once('end', () => resolve(buffer.subarray(0, length)));
      const endsEarly = (): void => reject(new FrameError('wrong-length', 'the body ended early'));
      request.once('error', endsEarly);
      request.once('close', endsEarly);
    });
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

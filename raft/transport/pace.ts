const KIB = 1024;
const FIRST_BYTES = 64 * KIB;
const BYTES_MIN = 16 * KIB;
const BYTES_MAX = 1024 * KIB;
/** A piece that takes longer than this, beyond a round trip, holds up the heartbeats on the same line. */
const SLOW_MS = 150;
const FAST_MS = 40;

/**
 * How much may be sent to a peer at once. Bytes in the buffers of the line are ahead of the next heartbeat, so pieces
 * become smaller on a slow line; on a fast one they grow, until almost everything goes in one.
 */
export class Pace {
  pieceBytes = FIRST_BYTES;
  private roundTripMs = Infinity;

  /** A small message was answered. The shortest time so far is that of an empty line. */
  roundTrip(ms: number): void {
    this.roundTripMs = Math.min(this.roundTripMs, ms);
  }

  /** This many bytes were answered after this time. */
  answered(bytes: number, ms: number): void {
    const delayMs = this.roundTripMs === Infinity ? ms : ms - this.roundTripMs;
    if (delayMs > SLOW_MS) {
      if (bytes >= this.pieceBytes / 2) this.pieceBytes = Math.max(BYTES_MIN, this.pieceBytes / 2);
    } else if (delayMs < FAST_MS && bytes >= this.pieceBytes) {
      this.pieceBytes = Math.min(BYTES_MAX, this.pieceBytes * 2);
    }
  }

  /** Something was not answered in time. */
  failed(): void {
    this.pieceBytes = Math.min(this.pieceBytes, FIRST_BYTES);
  }
}

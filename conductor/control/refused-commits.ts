/** Refusals in a row that are not an accident: a refused block comes again, in the same shape or another. */
const ENOUGH = 3;
/**
 * No commit must have succeeded for this long: anybody who reaches the port can have commits refused, but a healthy
 * sequencer has its own blocks committed in between.
 */
const LONG_ENOUGH_MS = 5000;

/** Counts how often in a row commits were refused, and for how long. Has no clock. */
export class RefusedCommits {
  private count = 0;
  private sinceMs = 0;
  private last = '';

  /** One was accepted, or the sequencer was started or stopped: earlier refusals do not count. */
  forget(): void {
    this.count = 0;
  }

  /** @param reason why, for people */
  refused(reason: string, nowMs: number): void {
    if (this.count === 0) this.sinceMs = nowMs;
    this.count += 1;
    this.last = reason;
  }

  /** Why commits are refused repeatedly; undefined while they are not. */
  reasonAt(nowMs: number): string | undefined {
    return this.count >= ENOUGH && nowMs - this.sinceMs >= LONG_ENOUGH_MS ? this.last : undefined;
  }
}

/** Refusals in a row that are no accident: a block that is refused comes again, in another shape or not. */
const ENOUGH = 3;
/**
 * For so long no commit must have succeeded: everybody who reaches the port can have commits refused, but a sequencer that
 * is well has a block of its own committed in between.
 */
const LONG_ENOUGH_MS = 5000;

/** Counts how often in a row commits were refused, and for how long. Has no clock. */
export class RefusedCommits {
  private count = 0;
  private sinceMs = 0;
  private last = '';

  /** One was accepted, or the sequencer was started or stopped: what was before does not count. */
  forget(): void {
    this.count = 0;
  }

  /** @param reason why, for people */
  refused(reason: string, nowMs: number): void {
    if (this.count === 0) this.sinceMs = nowMs;
    this.count += 1;
    this.last = reason;
  }

  /** Why commits are refused again and again; undefined while they are not. */
  reasonAt(nowMs: number): string | undefined {
    return this.count >= ENOUGH && nowMs - this.sinceMs >= LONG_ENOUGH_MS ? this.last : undefined;
  }
}

/** Refusals in a row that are no accident: a block that is refused comes again, in another shape or not. */
const ENOUGH = 3;

/** Counts how often in a row the blocks of the local sequencer were refused. */
export class RefusedCommits {
  private count = 0;
  private last = '';

  accepted(): void {
    this.count = 0;
  }

  /** @param reason why, for people */
  refused(reason: string): void {
    this.count += 1;
    this.last = reason;
  }

  /** The sequencer was started or stopped: what was before does not count. */
  reset(): void {
    this.count = 0;
  }

  /** Why its blocks are refused again and again; undefined while they are not. */
  get reason(): string | undefined {
    return this.count >= ENOUGH ? this.last : undefined;
  }
}

/** How many refusals of one address are answered in full in a window. */
const REFUSALS_PER_WINDOW = 20;
const WINDOW_MS = 10_000;
/** Addresses counted at a time; the one whose last refusal is the oldest is forgotten first. */
const ADDRESSES_MAX = 4096;

interface Count {
  sinceMs: number;
  refusals: number;
}

/**
 * Counts refusals by address, in bounded memory: a caller that tries tokens is slowed down, and does not fill the log.
 * This never holds back a valid credential, because others may share its address.
 */
export class RefusalLimit {
  /** Ordered by last refusal. */
  private readonly counts = new Map<string, Count>();

  /**
   * Counts one refusal.
   *
   * @returns whether the address has been refused too often in this window
   */
  noteRefusal(address: string, nowMs: number): boolean {
    const known = this.counts.get(address);
    const count = known && nowMs - known.sinceMs < WINDOW_MS ? known : { sinceMs: nowMs, refusals: 0 };
    count.refusals += 1;
    this.counts.delete(address);
    this.counts.set(address, count);
    if (this.counts.size > ADDRESSES_MAX) this.counts.delete(this.counts.keys().next().value as string);
    return count.refusals > REFUSALS_PER_WINDOW;
  }

  /** Addresses that are counted now. */
  get size(): number {
    return this.counts.size;
  }
}

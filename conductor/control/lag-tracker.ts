/** Gossip brings a block within milliseconds of its commit; one missing after this long will not come by itself. */
export const LAG_GRACE_MS = 750;

/**
 * Tells a node that lacks blocks from one that is merely behind at every look: the parent of the head committed at one
 * time must have arrived one grace period later. The head itself is not posted to a standby.
 */
export class LagTracker {
  private awaited: { number: number; sinceMs: number } | undefined;

  observe(
    committedHead: { number: number } | undefined,
    localNumber: number | undefined,
    nowMs: number,
  ): void {
    const committedNumber = committedHead && committedHead.number - 1;
    if (committedNumber === undefined || localNumber === undefined) {
      this.awaited = undefined;
      return;
    }
    // A replacement may take the head back below the awaited height.
    if (this.awaited && localNumber >= Math.min(this.awaited.number, committedNumber)) {
      this.awaited = undefined;
    }
    if (!this.awaited && localNumber < committedNumber) {
      this.awaited = { number: committedNumber, sinceMs: nowMs };
    }
  }

  isLagging(nowMs: number): boolean {
    return this.awaited !== undefined && nowMs - this.awaited.sinceMs >= LAG_GRACE_MS;
  }
}

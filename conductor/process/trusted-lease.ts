import type { ClusterTiming } from '../../raft/index.js';

/** Two clocks of a machine, in milliseconds. */
export interface Clocks {
  /** Stops while the machine is suspended. */
  monotonic(): number;
  /** Keeps running, and may be set. */
  wall(): number;
}

interface Lease {
  status(): { leaseRemainingMs: number };
  readonly timing: Pick<ClusterTiming, 'leaseTimeoutMs'>;
}

const REAL: Clocks = { monotonic: () => performance.now(), wall: () => Date.now() };

/** Clocks are read one after the other, and one of them in whole milliseconds. */
const TOLERANCE_MS = 1;

/**
 * The lease of a leader, as far as it can be trusted on a machine that may have been suspended. The lease ends at a
 * time of the monotonic clock, which stops during a suspension, while others may elect a leader. A wall clock that
 * leaps forward is taken for a suspension: earlier promises no longer count, and the next round of heartbeats renews
 * the lease. A clock that was only set costs the same few milliseconds.
 *
 * A suspension is not noticed if a hypervisor stops the machine together with both of its clocks.
 */
export class TrustedLease {
  /** Upper bound on how far the wall clock is ahead of the monotonic one. */
  private aheadMs: number;
  /** Monotonic time; promises from before do not count. */
  private promisesSinceMs = -Infinity;

  constructor(
    private readonly lease: Lease,
    private readonly clocks: Clocks = REAL,
    /** Called with the leap of the wall clock. */
    private readonly onLeap: (byMs: number) => void = () => undefined,
  ) {
    const earliestMs = clocks.monotonic();
    this.aheadMs = clocks.wall() + TOLERANCE_MS - earliestMs;
  }

  isHeld(): boolean {
    this.look();
    // Read in this order, so that the promises look older than they are rather than younger.
    const nowMs = this.clocks.monotonic();
    const { leaseRemainingMs } = this.lease.status();
    const promisedAtMs = nowMs + leaseRemainingMs - this.lease.timing.leaseTimeoutMs;
    return leaseRemainingMs > 0 && promisedAtMs > this.promisesSinceMs;
  }

  private look(): void {
    const earliestMs = this.clocks.monotonic();
    const wallMs = this.clocks.wall();
    const latestMs = this.clocks.monotonic();
    const atLeastMs = wallMs - latestMs;
    const atMostMs = wallMs + TOLERANCE_MS - earliestMs;
    const leaptByMs = atLeastMs - this.aheadMs;
    // Bounds, so that a thread that waits between two readings does not look like a leap.
    if (leaptByMs <= TOLERANCE_MS) {
      this.aheadMs = Math.min(this.aheadMs, atMostMs);
      return;
    }
    this.aheadMs = atMostMs;
    this.promisesSinceMs = latestMs;
    this.onLeap(leaptByMs);
  }
}

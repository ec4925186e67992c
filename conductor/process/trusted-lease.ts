import type { ClusterTiming } from '../../raft/index.js';

/** Two clocks of a machine, in milliseconds. */
export interface Clocks {
  /** Stands still while the machine is suspended. */
  monotonic(): number;
  /** Goes on, and may be set. */
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
 * The lease of a leader, as far as it can be trusted on a machine that may have been suspended: its end is a time of the
 * monotonic clock, which does not count while the machine sleeps, and others have elected meanwhile. A wall clock that
 * leapt forward is taken for that: what was promised before does not count any more, and the next round of heartbeats
 * renews it. One that was only set costs the same few milliseconds.
 *
 * A hypervisor that stops a machine and both of its clocks is not noticed.
 */
export class TrustedLease {
  /** Upper bound of what the wall clock is ahead of the monotonic one. */
  private aheadMs: number;
  /** Monotonic time; promises from before do not count. */
  private promisesSinceMs = -Infinity;

  constructor(
    private readonly lease: Lease,
    private readonly clocks: Clocks = REAL,
    /** Told by how much the wall clock leapt. */
    private readonly onLeap: (byMs: number) => void = () => undefined,
  ) {
    const earliestMs = clocks.monotonic();
    this.aheadMs = clocks.wall() + TOLERANCE_MS - earliestMs;
  }

  isHeld(): boolean {
    this.look();
    // In this order: the promises rather look older than they are.
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
    // Bounds, lest a thread that had to wait between two readings looks like a leap.
    if (leaptByMs <= TOLERANCE_MS) {
      this.aheadMs = Math.min(this.aheadMs, atMostMs);
      return;
    }
    this.aheadMs = atMostMs;
    this.promisesSinceMs = latestMs;
    this.onLeap(leaptByMs);
  }
}

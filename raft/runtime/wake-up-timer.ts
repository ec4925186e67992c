/**
 * The one timer of a node. It wakes up at the earliest deadline and says how late it is.
 *
 * After a stall of the event loop due timers run before unread sockets, so a follower would stand for election
 * while heartbeats wait in the kernel (bug 53). The callback therefore comes only after the loop has polled twice.
 */
export class WakeUpTimer {
  private timer: NodeJS.Timeout | undefined;
  private dueMs = Infinity;
  private stopped = false;

  constructor(
    private readonly now: () => number,
    private readonly onLate: (lateMs: number) => void,
    private readonly onDue: () => void,
    private readonly toleranceMs: number,
  ) {}

  set(dueMs: number): void {
    if (this.stopped || dueMs === this.dueMs) return;
    clearTimeout(this.timer);
    this.dueMs = dueMs;
    if (dueMs === Infinity) return;
    this.timer = setTimeout(() => this.fired(), Math.max(0, Math.ceil(dueMs - this.now())));
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private fired(): void {
    const lateMs = this.now() - this.dueMs;
    this.dueMs = Infinity;
    if (lateMs > this.toleranceMs) this.onLate(lateMs);
    setImmediate(() => setImmediate(() => !this.stopped && this.onDue()));
  }
}

export interface WakeUpTimerOptions {
  /** Monotonic clock, ms. */
  now(): number;
  /** The loop stalled, and the wake-up came this late. Called before anything else. */
  onLate(lateMs: number): void;
  /** Every wake-up, and how late it came. */
  onWakeUp?(lateMs: number): void;
  onDue(): void;
  /** Lateness that counts as a stall. Asked at each wake-up. */
  toleranceMs(): number;
}

/**
 * The one timer of a node. It wakes up at the earliest deadline and says how late it is.
 *
 * After a stall of the event loop, due timers run before unread sockets. A follower would then stand for election while
 * heartbeats wait in the kernel. So the callback comes only after the loop has polled twice.
 */
export class WakeUpTimer {
  private timer: NodeJS.Timeout | undefined;
  private armedForMs = Infinity;
  private dueMs = Infinity;
  private polling = false;
  private stopped = false;

  constructor(private readonly options: WakeUpTimerOptions) {}

  /** A later deadline does not touch the timer, because a follower's deadline moves with every message. */
  set(dueMs: number): void {
    this.dueMs = dueMs;
    if (!this.polling && dueMs < this.armedForMs) this.arm();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private arm(): void {
    clearTimeout(this.timer);
    this.armedForMs = this.dueMs;
    if (this.stopped || this.dueMs === Infinity) return;
    this.timer = setTimeout(() => this.fired(), Math.max(0, Math.ceil(this.dueMs - this.options.now())));
  }

  private fired(): void {
    const lateMs = this.options.now() - this.armedForMs;
    // Deadlines set from here on wait until the messages are read. Otherwise a stall would be reported twice.
    this.polling = true;
    this.options.onWakeUp?.(lateMs);
    if (lateMs > this.options.toleranceMs()) this.options.onLate(lateMs);
    setImmediate(() => setImmediate(() => this.polled()));
  }

  private polled(): void {
    this.polling = false;
    if (this.stopped) return;
    this.armedForMs = Infinity;
    if (this.dueMs <= this.options.now()) this.options.onDue();
    if (this.armedForMs === Infinity) this.arm();
  }
}

export interface WakeUpTimerOptions {
  /** Monotonic clock, ms. */
  now(): number;
  /** The loop stalled for so long that the wake-up came this late; called before anything else. */
  onLate(lateMs: number): void;
  /** Every wake-up, and how late it came. */
  onWakeUp?(lateMs: number): void;
  onDue(): void;
  /** Lateness that counts as a stall; asked at each wake-up. */
  toleranceMs(): number;
}

/**
 * The one timer of a node. It wakes up at the earliest deadline and says how late it is.
 *
 * After a stall of the event loop due timers run before unread sockets, so a follower would stand for election
 * while heartbeats wait in the kernel. The callback therefore comes only after the loop has polled twice.
 */
export class WakeUpTimer {
  private timer: NodeJS.Timeout | undefined;
  private armedForMs = Infinity;
  private dueMs = Infinity;
  private polling = false;
  private stopped = false;

  constructor(private readonly options: WakeUpTimerOptions) {}

  /** A later deadline than before leaves the timer as it is: a follower's moves with every message. */
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
    // What is set from here on waits until the messages are read, or a stall would be told twice.
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

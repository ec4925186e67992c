/** The monotonic clock of one machine. Its zero is arbitrary, its rate is slightly off, and a suspension stops it. */
export class NodeClock {
  private rate: number;

  constructor(
    private readonly usualRate: number,
    private offsetMs: number,
  ) {
    this.rate = usualRate;
  }

  at(worldMs: number): number {
    return worldMs * this.rate + this.offsetMs;
  }

  /** True time at which this clock will show `localMs`. */
  worldTimeOf(localMs: number): number {
    return (localMs - this.offsetMs) / this.rate;
  }

  loseMs(durationMs: number): void {
    this.offsetMs -= durationMs * this.rate;
  }

  /** Monotonic clocks never go back, but may leap forward, as after a migration to another host. */
  leapMs(durationMs: number): void {
    this.offsetMs += durationMs;
  }

  /** From `worldMs` on it runs this many times faster than usual. */
  hasten(worldMs: number, factor: number): void {
    const localMs = this.at(worldMs);
    this.rate = this.usualRate * factor;
    this.offsetMs = localMs - worldMs * this.rate;
  }
}

/** The monotonic clock of one machine: its zero is arbitrary, its rate a little off, and a suspension stops it. */
export class NodeClock {
  constructor(
    private readonly rate: number,
    private offsetMs: number,
  ) {}

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
}

/** A stalled process sees one late check, not many: its disk had no time either. */
const CHECKS = 10;

/**
 * Notices a write that does not end. Instead of comparing clocks, it counts moments at which the process was awake and the
 * write was not done: after a suspension, timers are due before finished writes are reported.
 */
export class WriteWatch {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly limitMs: number,
    private readonly onHung: () => void,
  ) {}

  begin(): void {
    let checks = 0;
    const check = (): void => {
      checks += 1;
      if (checks >= CHECKS) this.onHung();
      else this.timer = setTimeout(check, this.limitMs / CHECKS);
    };
    this.end();
    this.timer = setTimeout(check, this.limitMs / CHECKS);
  }

  /** The write has ended, or nobody waits for it any longer. */
  end(): void {
    clearTimeout(this.timer);
  }
}

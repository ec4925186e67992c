/** Remembers the latest events for a report, and condenses all of them into one number. */
export class Trace {
  private readonly recent: string[] = [];
  private state = 0x811c9dc5;

  constructor(
    private readonly nowMs: () => number,
    private readonly keep: number,
    private readonly print: ((line: string) => void) | undefined,
  ) {}

  /** Equal for equal runs. */
  get hash(): number {
    return this.state >>> 0;
  }

  /** @param who a node, or `world` */
  note(who: string, what: string): void {
    const line = `${this.nowMs().toFixed(2).padStart(10)}  ${who.padEnd(5)} ${what}`;
    this.mix(line);
    this.recent.push(line);
    if (this.recent.length > 2 * this.keep) this.recent.splice(0, this.keep);
    this.print?.(line);
  }

  /** The latest events, oldest first. */
  lines(): string[] {
    return this.recent.slice(-this.keep);
  }

  private mix(text: string): void {
    for (let at = 0; at < text.length; at++) {
      this.state = Math.imul(this.state ^ text.charCodeAt(at), 0x01000193);
    }
  }
}

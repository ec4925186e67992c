interface Event {
  atMs: number;
  who: string;
  what: string;
}

/** Keeps the latest events for a report, and condenses all events into one number. */
export class Trace {
  private readonly recent: Event[] = [];
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
    const event = { atMs: this.nowMs(), who, what };
    this.mix(Math.round(100 * event.atMs));
    this.mixText(who);
    this.mixText(what);
    this.recent.push(event);
    if (this.recent.length > 2 * this.keep) this.recent.splice(0, this.keep);
    this.print?.(lineOf(event));
  }

  /** The latest events, oldest first. */
  lines(): string[] {
    return this.recent.slice(-this.keep).map(lineOf);
  }

  private mixText(text: string): void {
    for (let at = 0; at < text.length; at++) this.mix(text.charCodeAt(at));
  }

  private mix(value: number): void {
    this.state = Math.imul(this.state ^ value, 0x01000193);
  }
}

const lineOf = ({ atMs, who, what }: Event): string =>
  `${atMs.toFixed(2).padStart(10)}  ${who.padEnd(5)} ${what}`;

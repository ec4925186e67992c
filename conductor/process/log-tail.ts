const LINES_MAX = 2000;
const CHARS_MAX = 1024 * 1024;

interface LogTailOptions {
  linesMax?: number;
  charsMax?: number;
}

/**
 * The newest log lines of this process, in memory, for analysis after an incident. Lines are kept from level debug on,
 * whatever level the log has: a level cannot be raised in retrospect, and the few lines of that level say why a request
 * or a start failed.
 */
export class LogTail {
  private readonly kept: string[] = [];
  private chars = 0;
  private droppedLines = 0;
  private readonly linesMax: number;
  private readonly charsMax: number;

  constructor({ linesMax = LINES_MAX, charsMax = CHARS_MAX }: LogTailOptions = {}) {
    this.linesMax = linesMax;
    this.charsMax = charsMax;
  }

  /** A line that is longer than the whole buffer is cut. */
  write(line: string): void {
    const text = line.trimEnd().slice(0, this.charsMax);
    this.kept.push(text);
    this.chars += text.length;
    while (this.kept.length > this.linesMax || this.chars > this.charsMax) {
      this.chars -= this.kept.shift()!.length;
      this.droppedLines += 1;
    }
  }

  /** Oldest first. */
  get lines(): readonly string[] {
    return this.kept;
  }

  /** Lines that were dropped to make room. */
  get dropped(): number {
    return this.droppedLines;
  }
}

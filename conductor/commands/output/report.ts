import { SCHEMA_VERSION, type DocumentFormat } from './document.js';

interface Output {
  print: (line: string) => void;
  note: (line: string) => void;
}

/**
 * What a command that changes something planned and did. For a person it is printed line by line; for a program, as one
 * document at the end, and nothing else is printed.
 */
export class Report {
  /** Set once the options are known. */
  format: DocumentFormat | undefined;
  private planned: readonly string[] = [];
  private dryRun = false;
  private readonly messages: string[] = [];
  private data: object = {};

  constructor(private readonly io: Output) {}

  /** The planned changes, in full sentences. */
  plan(lines: readonly string[]): void {
    this.planned = [...this.planned, ...lines];
    for (const line of lines) this.say(line);
  }

  /** Only the plan will be reported. */
  wasRehearsal(): void {
    this.dryRun = true;
    this.say('Nothing was changed.');
  }

  /**
   * Completed steps and observations.
   *
   * @param data the same for a program
   */
  done(message: string, data: object = {}): void {
    this.messages.push(message);
    this.data = { ...this.data, ...data };
    this.say(message);
  }

  /** Undefined if there is nothing to report. */
  get document(): object | undefined {
    const { planned, dryRun, messages, data } = this;
    if (planned.length === 0 && messages.length === 0) return undefined;
    return { schemaVersion: SCHEMA_VERSION, dryRun, plan: planned, done: messages, ...data };
  }

  private say(line: string): void {
    if (this.format) this.io.note(line);
    else this.io.print(line);
  }
}

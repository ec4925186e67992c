/** The exit code that shells use for a process ended by Ctrl-C. */
export const EXIT_INTERRUPTED = 130;

/** How a process reacts to the signals that end it. */
interface Ending {
  /** The first signal: an orderly end. */
  end(signal: NodeJS.Signals): void;
  /** A repeated Ctrl-C, or SIGQUIT: end at once, orderly or not. */
  endNow(signal: NodeJS.Signals): void;
}

/** Like op-conductor: each of them ends the process in order. */
const ENDING = ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const;

/**
 * The signals of this process. Those that arrive before anything can act on them are kept. A signal without a handler
 * does not end process 1 of a container, which never learns of it. So this is the first thing that a process does, and
 * this file imports nothing.
 */
export class Signals {
  private readonly early: NodeJS.Signals[] = [];
  private ending: Ending | undefined;
  private isEnding = false;

  constructor(source: Pick<NodeJS.Process, 'on'> = process) {
    for (const signal of ENDING) source.on(signal, () => this.came(signal));
  }

  /** From here on signals take effect, including those that came before. */
  handle(ending: Ending): void {
    this.ending = ending;
    for (const signal of this.early.splice(0)) this.came(signal);
  }

  private came(signal: NodeJS.Signals): void {
    if (!this.ending) this.early.push(signal);
    else if (!this.isEnding) {
      this.isEnding = true;
      this.ending.end(signal);
    } else if (signal !== 'SIGTERM') {
      // Supervisors repeat SIGTERM, and mean the same.
      this.ending.endNow(signal);
    }
  }
}

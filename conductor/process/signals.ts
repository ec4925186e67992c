/** As a shell says it of a process that Ctrl-C has ended. */
export const EXIT_INTERRUPTED = 130;

/** What a process does about the signals that are to end it. */
interface Ending {
  /** The first one: an orderly end. */
  end(signal: NodeJS.Signals): void;
  /** Somebody insists (Ctrl-C again, SIGQUIT): an end at once, orderly or not. */
  endNow(signal: NodeJS.Signals): void;
}

/** As op-conductor: all of them end it in order. */
const ENDING = ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const;

/**
 * The signals of this process, from the construction on: what comes before anybody can act on it is kept. Process 1 of a
 * container is not ended by a signal that it has no handler for, it never hears of it; so this is the first thing that a
 * process does, and this file imports nothing.
 */
export class Signals {
  private readonly early: NodeJS.Signals[] = [];
  private ending: Ending | undefined;
  private isEnding = false;

  constructor(source: Pick<NodeJS.Process, 'on'> = process) {
    for (const signal of ENDING) source.on(signal, () => this.came(signal));
  }

  /** From here on they have their effect, also those that came before. */
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

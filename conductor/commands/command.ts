import type { Command } from 'commander';
import type { Environment } from '../config/read-values.js';
import type { ExitCode } from './exit-codes.js';
import type { Report } from './output/report.js';

/** A terminal that shows the result of a command. */
export interface Screen {
  /** Its current width. */
  columns: () => number;
  color: boolean;
  /** Replaces everything on the screen by a text. */
  redraw: (text: string) => void;
}

/** What a command may use of the process that it runs in. */
export interface CommandIo {
  /** Prints a line of the command's result. */
  print: (line: string) => void;
  /** Prints a line for the waiting person: progress and errors. */
  note: (line: string) => void;
  /** Asks the person at the terminal; undefined if there is none. */
  confirm?: (question: string) => Promise<boolean>;
  env: Environment;
  /** The terminal that the result goes to; undefined for a file or a pipe. */
  screen?: Screen;
  /** Fires when the user cancels (Ctrl-C). */
  signal: AbortSignal;
}

/** The same for one run of a command. */
export interface RunIo extends CommandIo {
  /** Exit code for a command that did everything it had to, but still does not end with 0. */
  endWith: (code: ExitCode) => void;
  /** The plan and the steps of a command that changes something. */
  report: Report;
}

/** Adds one sub-command to `baton`. Its action rejects with a `CommandError` if it fails. */
export type AddCommand = (program: Command, io: RunIo) => void;

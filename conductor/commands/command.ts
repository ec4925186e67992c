import type { Command } from 'commander';
import type { Environment } from '../config/read-values.js';
import type { ExitCode } from './exit-codes.js';
import type { Report } from './output/report.js';

/** A terminal that shows the result of a command. */
export interface Screen {
  /** Its width at present. */
  columns: () => number;
  color: boolean;
  /** Shows a text in the place of all that was there. */
  redraw: (text: string) => void;
}

/** What a command may use of the process that it runs in. */
export interface CommandIo {
  /** Prints a line of the command's result. */
  print: (line: string) => void;
  /** Prints a line for the person that waits: progress and errors. */
  note: (line: string) => void;
  /** Asks the person at the terminal; undefined where there is none. */
  confirm?: (question: string) => Promise<boolean>;
  env: Environment;
  /** The terminal that the result goes to; undefined for a file or a pipe. */
  screen?: Screen;
  /** Fires when the user gives up (Ctrl-C). */
  signal: AbortSignal;
}

/** The same for one run of a command. */
export interface RunIo extends CommandIo {
  /** What the process is to end with although the command did all that it had to. */
  endWith: (code: ExitCode) => void;
  /** What a command that changes something was about to do and did. */
  report: Report;
}

/** Adds one sub-command to `baton`. Its action rejects with a `CommandError` when it fails. */
export type AddCommand = (program: Command, io: RunIo) => void;

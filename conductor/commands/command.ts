import type { Command } from 'commander';
import type { Environment } from '../config/read-values.js';
import type { ExitCode } from './exit-codes.js';

/** What a command may use of the process that it runs in. */
export interface CommandIo {
  /** Prints a line of the command's result. */
  print: (line: string) => void;
  /** Prints a line for the person that waits: progress and errors. */
  note: (line: string) => void;
  /** Asks the person at the terminal; undefined where there is none. */
  confirm?: (question: string) => Promise<boolean>;
  env: Environment;
  /** Fires when the user gives up (Ctrl-C). */
  signal: AbortSignal;
}

/** The same for one run of a command. */
export interface RunIo extends CommandIo {
  /** What the process is to end with although the command did all that it had to. */
  endWith: (code: ExitCode) => void;
}

/** Adds one sub-command to `baton`. Its action rejects with a `CommandError` when it fails. */
export type AddCommand = (program: Command, io: RunIo) => void;

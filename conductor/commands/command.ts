import type { Command } from 'commander';
import type { Environment } from '../config/read-values.js';

/** What a command may use of the process that it runs in. */
export interface CommandIo {
  /** Prints a line of the command's result. */
  print: (line: string) => void;
  /** Prints a line for the person that waits: progress and errors. */
  note: (line: string) => void;
  env: Environment;
  /** Fires when the user gives up (Ctrl-C). */
  signal: AbortSignal;
}

/** Adds one sub-command to `baton`. Its action rejects with a `CommandError` when it fails. */
export type AddCommand = (program: Command, io: CommandIo) => void;

import type { Command } from 'commander';
import { CommandError } from './command-error.js';
import type { RunIo } from './command.js';

/** Options of every command that changes something. */
export interface ChangeOptions {
  yes?: true;
  dryRun?: true;
  reason?: string;
}

export function withChangeOptions(command: Command): Command {
  return command
    .option('--yes', 'do it without asking; needed where there is no terminal')
    .option('--dry-run', 'only show what it would do');
}

/** For calls to members, which log it. */
export function withReason(command: Command): Command {
  return command.option('--reason <text>', 'why; the members that are asked log it, with your name');
}

/**
 * Shows what a command is about to do, and asks for confirmation.
 *
 * @param plan full sentences
 * @returns false for a rehearsal
 * @throws CommandError `unconfirmed` if the answer is no, or there is nobody to ask
 */
export async function confirmed(
  { report, confirm }: Pick<RunIo, 'report' | 'confirm'>,
  plan: readonly string[],
  { yes, dryRun, reason }: ChangeOptions,
): Promise<boolean> {
  report.plan(reason === undefined ? plan : [...plan, `Reason: ${reason}`]);
  if (dryRun) {
    report.wasRehearsal();
    return false;
  }
  if (yes) return true;
  if (!confirm) throw new CommandError('unconfirmed', 'nothing was changed: there is no terminal to ask on');
  if (await confirm('Do it? [y/N] ')) return true;
  throw new CommandError('unconfirmed', 'nothing was changed');
}

import { Command, CommanderError, Option } from 'commander';
import { flagNames, namesOf } from './flag-table.js';

/** The flag that the user may have meant, found by commander; undefined if none is similar. */
export function similarFlag(name: string): string | undefined {
  const command = new Command()
    .exitOverride()
    .version('', '--version')
    .configureOutput({ writeErr: () => undefined });
  for (const flag of flagNames.flatMap(namesOf)) command.addOption(new Option(`--${flag}`));
  try {
    command.parse([`--${name}`], { from: 'user' });
    return undefined;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return /Did you mean (?:one of )?([^?]+)\?/.exec(error.message)?.[1];
  }
}

import { Command, CommanderError } from 'commander';
import { hideCredentials } from '../../common/endpoint.js';
import { CommandError } from './command-error.js';
import type { AddCommand, CommandIo } from './command.js';
import { addAdd, addRemove, addReplace } from './membership.js';
import { addInspect } from './directory/inspect.js';
import { addRecover } from './directory/recover.js';
import { addOverride } from './override.js';
import { addPause, addResume } from './pause.js';
import { addResetHead } from './reset-head.js';
import { addStatus } from './status.js';
import { addTiming } from './timing.js';
import { addTransfer } from './transfer.js';

/** All sub-commands but `run`, in the order of the help. */
const commands: readonly AddCommand[] = [
  addStatus,
  addTransfer,
  addPause,
  addResume,
  addAdd,
  addRemove,
  addReplace,
  addTiming,
  addOverride,
  addResetHead,
  addInspect,
  addRecover,
];

const EXIT_OK = 0;
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/**
 * Runs one sub-command to its end.
 *
 * @param argv the command line after `baton`
 * @returns the exit code: 0 done, 1 failed (a problem and its remedy were printed), 2 wrong command line
 */
export async function runCommand(argv: readonly string[], given: CommandIo): Promise<number> {
  // Complaints quote what was typed: a URL in the wrong place, for one.
  const io = { ...given, note: (line: string) => given.note(hideCredentials(line)) };
  try {
    await buildProgram(io).parseAsync(argv, { from: 'user' });
    return EXIT_OK;
  } catch (error) {
    // Commander has printed its help or complaint itself.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_OK : EXIT_USAGE;
    if (!(error instanceof CommandError)) throw error;
    io.note(`error: ${error.message}`);
    io.note(`remedy: ${error.remedy} (${error.code})`);
    return error.code === 'usage' ? EXIT_USAGE : EXIT_FAILED;
  }
}

/** The text of `baton --help`. */
export function commandsHelp(io: CommandIo): string {
  return buildProgram(io).helpInformation();
}

function buildProgram(io: CommandIo): Command {
  const program = new Command('baton')
    .usage('[run] [flags] | COMMAND [options]')
    .description('High-availability conductor for rollup sequencers, in place of op-conductor.')
    .helpOption('-h, --help', 'print this text, or that of a command')
    .helpCommand(false)
    .exitOverride()
    .showHelpAfterError('(see baton --help)')
    .configureOutput({
      writeOut: (text) => io.print(text.trimEnd()),
      writeErr: (text) => io.note(text.trimEnd()),
    })
    // Only for the help: main.ts reads run's flags by Go's rules, which are not commander's.
    .addCommand(
      new Command('run').usage('[flags]').description('run a conductor (the default); see baton run --help'),
    );
  for (const add of commands) add(program, io);
  return program;
}

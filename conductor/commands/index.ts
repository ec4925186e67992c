import { Command, CommanderError } from 'commander';
import { hideCredentials } from '../../common/endpoint.js';
import { CommandError } from './command-error.js';
import type { AddCommand, CommandIo, RunIo } from './command.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { addAdd, addDemote, addRemove, addReplace } from './membership.js';
import { addDoctor } from './doctor/doctor.js';
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
  addDoctor,
  addTransfer,
  addPause,
  addResume,
  addAdd,
  addDemote,
  addRemove,
  addReplace,
  addTiming,
  addOverride,
  addResetHead,
  addInspect,
  addRecover,
];

const JSON_SCHEMA_VERSION = 1;

/**
 * Runs one sub-command to its end. With `--json`, an error is a JSON document, too: `{schemaVersion, error: {code,
 * message, remedy}}`, unless the command has printed its own already.
 *
 * @param argv the command line after `baton`
 * @returns the exit code, see `EXIT`; of what failed, a problem and its remedy were printed
 */
export async function runCommand(argv: readonly string[], given: CommandIo): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok;
  let hasPrinted = false;
  const io: RunIo = {
    ...given,
    print: (line) => {
      hasPrinted = true;
      given.print(line);
    },
    // Complaints quote what was typed: a URL in the wrong place, for one.
    note: (line) => given.note(hideCredentials(line)),
    endWith: (wanted) => (code = wanted),
  };
  const failed = (error: Pick<CommandError, 'code' | 'message' | 'remedy'>): void => {
    if (!argv.includes('--json') || hasPrinted) return;
    const { code, remedy } = error;
    const message = hideCredentials(error.message);
    io.print(
      JSON.stringify({ schemaVersion: JSON_SCHEMA_VERSION, error: { code, message, remedy } }, null, 2),
    );
  };
  try {
    await buildProgram(io).parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has printed its help or complaint itself.
      if (error.exitCode === 0) return EXIT.ok;
      failed(new CommandError('usage', error.message.replace(/^error: /, '')));
      return EXIT.usage;
    }
    if (!(error instanceof CommandError)) throw error;
    io.note(`error: ${error.message}`);
    io.note(`remedy: ${error.remedy} (${error.code})`);
    failed(error);
    return exitCodeOf(error);
  }
}

function exitCodeOf({ code }: CommandError): ExitCode {
  if (code === 'usage' || code === 'unconfirmed') return EXIT.usage;
  return code === 'no-answer' ? EXIT.noAnswer : EXIT.failed;
}

/** The text of `baton --help`. */
export function commandsHelp(io: CommandIo): string {
  return buildProgram({ ...io, endWith: () => undefined }).helpInformation();
}

function buildProgram(io: RunIo): Command {
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

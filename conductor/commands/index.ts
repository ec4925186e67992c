import { Command, CommanderError } from 'commander';
import { hideCredentials } from '../../common/endpoint.js';
import { CommandError } from './command-error.js';
import type { AddCommand, CommandIo, RunIo } from './command.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { addDoctor } from './doctor/doctor.js';
import { addCompletion, completeWith, isCompletion } from './completion.js';
import { addDebug } from './debug/debug.js';
import { addForceActive } from './emergency/force-active.js';
import { addHalt } from './emergency/halt.js';
import { addHistory } from './history.js';
import { addInspect, addRecover } from './directory/index.js';
import { addAdd, addDemote, addRemove, addReplace } from './membership.js';
import { documentFormat, documentFormatOf, SCHEMA_VERSION, writeDocument } from './output/document.js';
import { Report } from './output/report.js';
import { addOverride } from './override.js';
import { addPause, addResume } from './pause.js';
import { addResetHead } from './reset-head.js';
import { addStatus } from './status.js';
import { addTiming } from './timing.js';
import { addToken } from './token/token.js';
import { addTransfer } from './transfer.js';

/** Width of the help if there is no terminal. */
const HELP_COLUMNS = 100;

/** All sub-commands but `run`, in the order of the help. */
const commands: readonly AddCommand[] = [
  addStatus,
  addHistory,
  addDoctor,
  addTransfer,
  addPause,
  addResume,
  addAdd,
  addDemote,
  addRemove,
  addReplace,
  addTiming,
  addHalt,
  addForceActive,
  addOverride,
  addResetHead,
  addDebug,
  addToken,
  addInspect,
  addRecover,
  addCompletion,
];

/** By code of the error; all others exit with `EXIT.failed`. */
const USAGE = new Set<CommandError['code']>(['usage', 'config-file', 'credential-file', 'unconfirmed']);
const NO_ANSWER = new Set<CommandError['code']>([
  ...(['no-answer', 'no-credential', 'unknown-credential', 'role-missing', 'refused-too-often'] as const),
  'tls-failed',
]);

/**
 * Runs one sub-command to its end. If the result is a document (`-o json`), an error is one, too: `{schemaVersion,
 * error: {code, message, remedy}}`, unless the command has already printed its own.
 *
 * @param argv the command line after `baton`
 * @returns the exit code, see `EXIT`; for a failure, the problem and its remedy were printed
 */
export async function runCommand(argv: readonly string[], given: CommandIo): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok;
  let hasPrinted = false;
  const shown = {
    print: (line: string) => {
      hasPrinted = true;
      given.print(line);
    },
    // Complaints quote the input, such as a misplaced URL.
    note: (line: string) => given.note(hideCredentials(line)),
  };
  const report = new Report(shown);
  const io: RunIo = { ...given, ...shown, report, endWith: (wanted) => (code = wanted) };
  const failed = async (failure: CommandError): Promise<void> => {
    const format = documentFormatOf(argv);
    if (!format || hasPrinted) return;
    const { code, message } = failure;
    const error = { code, message: hideCredentials(message), remedy: remedyFor(failure, argv) };
    io.print(await writeDocument({ schemaVersion: SCHEMA_VERSION, ...report.document, error }, format));
  };
  // The library brings its own command of this name.
  const program = buildProgram(
    io,
    isCompletion(argv) ? commands.filter((add) => add !== addCompletion) : commands,
  );
  program.hook('preAction', (_, command) => {
    report.format = documentFormat(command.opts()['output']);
  });
  try {
    if (isCompletion(argv)) await completeWith(program, io);
    await program.parseAsync(withoutVainHelp(argv, program), { from: 'user' });
    const { document, format } = report;
    if (document && format) io.print(await writeDocument(document, format));
    return code;
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has already printed its help or complaint.
      if (error.exitCode === 0) return EXIT.ok;
      await failed(new CommandError('usage', error.message.replace(/^error: /, '')));
      return EXIT.usage;
    }
    if (!(error instanceof CommandError)) throw error;
    io.note(`error: ${error.message}`);
    io.note(`remedy: ${remedyFor(error, argv)} (${error.code})`);
    await failed(error);
    return exitCodeOf(error);
  }
}

/** Help for an unknown command: commander would print all of it, and not say what was mistyped. */
function withoutVainHelp(argv: readonly string[], { commands }: Command): readonly string[] {
  const [first, name, ...rest] = argv;
  const isKnown =
    name === undefined || name === 'help' || commands.some((command) => command.name() === name);
  return first === 'help' && !isKnown ? [name, ...rest] : argv;
}

/** The command's own help is the useful one. */
function remedyFor({ code, remedy }: CommandError, [command]: readonly string[]): string {
  return code === 'usage' ? remedy.replace('see baton --help', `see baton ${command} --help`) : remedy;
}

function exitCodeOf({ code }: CommandError): ExitCode {
  if (USAGE.has(code)) return EXIT.usage;
  return NO_ANSWER.has(code) ? EXIT.noAnswer : EXIT.failed;
}

function buildProgram(io: RunIo, commands: readonly AddCommand[]): Command {
  const program = new Command('baton')
    .usage('[run] [flags] | COMMAND [options]')
    .description('High-availability conductor for rollup sequencers, in place of op-conductor.')
    .helpOption('-h, --help', 'print this text, or that of a command')
    .helpCommand('help [command]', 'print the options of a command')
    .exitOverride()
    .showHelpAfterError('(see baton --help)')
    .configureOutput({
      writeOut: (text) => io.print(text.trimEnd()),
      writeErr: (text) => io.note(text.trimEnd()),
      getOutHelpWidth: () => io.screen?.columns() ?? HELP_COLUMNS,
      getErrHelpWidth: () => io.screen?.columns() ?? HELP_COLUMNS,
      getOutHasColors: () => io.screen?.color ?? false,
    })
    // Only for the help: main.ts reads run's flags by Go's rules, which differ from commander's.
    .addCommand(
      new Command('run').usage('[flags]').description('run a conductor (the default); see baton run --help'),
    );
  for (const add of commands) add(program, io);
  for (const command of program.commands) command.showHelpAfterError(`(see baton ${command.name()} --help)`);
  return program;
}

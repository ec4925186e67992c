#!/usr/bin/env -S MALLOC_ARENA_MAX=2 UV_THREADPOOL_SIZE=16 node --max-semi-space-size=4 --heap-growing-percent=100
// Fewer malloc arenas and small semi-spaces keep memory bounded under large payloads. Their buffers count as heap: by
// V8's own rule for a heap as small as ours, five commits of 1 MB would bring a full collection, which cost a third of
// the CPU and freed nothing sooner. Name look-ups, which may hang, share libuv's threads with the disk: with the usual
// four, a dead name server would hold up commits.
import path from 'node:path';
import type { CommandIo } from './commands/command.js';
import { ConfigError } from './config/config-error.js';
import { notYetEffective } from './config/config.js';
import { parseConfig } from './config/parse-config.js';
import { readVersion } from './process/version.js';

/** Bad flags or environment. */
const EXIT_USAGE = 2;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const version = readVersion();

const write = (text: string): void => void process.stdout.write(`${text}\n`);
const complain = (text: string): void => void process.stderr.write(`${text}\n`);

/**
 * `baton [run] [flags]` as op-conductor, which has no sub-commands; or one of ours. op-conductor's image has no entry
 * point: what is put behind the name of the image begins with the name of the program.
 */
async function main(argv: readonly string[], program: string): Promise<void> {
  const [first, ...rest] = argv;
  if (first === 'op-conductor') return main(rest, first);
  if (first === 'run') return run(rest);
  const isHelp = first === 'help' || first === 'h';
  if (program === 'op-conductor' && isHelp) return run(['--help']);
  if (program !== 'op-conductor' && (isHelp || first === '--help' || first === '-h')) return help();
  if (first === undefined || first.startsWith('-')) return run(argv);
  const { runCommand } = await import('./commands/index.js');
  process.exitCode = await runCommand(argv, commandIo());
}

async function help(): Promise<void> {
  const { commandsHelp } = await import('./commands/index.js');
  write(commandsHelp(commandIo()));
}

function commandIo(): CommandIo {
  const giveUp = new AbortController();
  process.once('SIGINT', () => giveUp.abort());
  return { print: write, note: complain, env: process.env, signal: giveUp.signal };
}

async function run(argv: readonly string[]): Promise<void> {
  const parsed = parseConfig(argv, process.env);
  if ('help' in parsed) return write(parsed.help);
  if ('version' in parsed) return write(`baton version v${version}`);

  // Not before they are needed: the other commands begin sooner without them.
  const [{ createLogger }, { Service }, { endProcess, StuckError }] = await Promise.all([
    import('./process/logger.js'),
    import('./process/service.js'),
    import('./process/end-process.js'),
  ]);
  const { config, warnings } = parsed;
  const logger = createLogger(config);
  for (const warning of warnings) logger.warn(warning);
  const idle = notYetEffective(config);
  if (idle.length > 0) logger.warn({ flags: idle }, 'these flags have no effect in this version');

  const fatal = (error: Error): void => {
    logger.fatal({ err: error }, 'exiting');
    endProcess(error);
  };
  const service = new Service(config, `v${version}`, logger, fatal);
  const end = (signal: NodeJS.Signals): void => {
    const timer = setTimeout(() => fatal(new StuckError('did not stop in time')), config.shutdownTimeoutMs);
    void service.stop(signal).then(() => {
      clearTimeout(timer);
      process.exit(0);
    }, fatal);
  };
  process.once('SIGTERM', end);
  process.once('SIGINT', end);
  process.on('unhandledRejection', (error) => fatal(error as Error));
  // After conductor_stop nothing else holds the process, and a supervisor would start again what was to stop.
  setInterval(() => undefined, LONGEST_TIMER_MS);
  await service.start().catch(fatal);
}

main(process.argv.slice(2), path.basename(process.argv[1] ?? '')).catch((error: Error) => {
  if (!(error instanceof ConfigError)) throw error;
  complain(error.message);
  process.exitCode = EXIT_USAGE;
});

#!/usr/bin/env -S MALLOC_ARENA_MAX=2 UV_THREADPOOL_SIZE=16 node --max-semi-space-size=4 --heap-growing-percent=100
// Fewer malloc arenas and small semi-spaces keep memory bounded under large payloads. Their buffers count as heap: by
// V8's own rule for a heap as small as ours, five commits of 1 MB would bring a full collection, which cost a third of
// the CPU and freed nothing sooner. Name look-ups, which may hang, share libuv's threads with the disk: with the usual
// four, a dead name server would hold up commits.
import path from 'node:path';
import type { CommandIo } from './commands/command.js';
import type { Config } from './config/config.js';
import type { StartedAs } from './process/conductor-process.js';
// Nothing else is imported before the signals are taken: the other files take a quarter of a second to load.
import { EXIT_INTERRUPTED, Signals } from './process/signals.js';

/** Bad flags or environment. */
const EXIT_USAGE = 2;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const signals = new Signals();

const write = (text: string): void => void process.stdout.write(`${text}\n`);
const complain = (text: string): void => void process.stderr.write(`${text}\n`);

/**
 * `baton [run] [flags]` as op-conductor, which has no sub-commands; or one of ours. op-conductor's image has no entry
 * point: what is put behind the name of the image begins with the name of the program.
 */
async function main(argv: readonly string[], program: string): Promise<void> {
  const [first, ...rest] = argv;
  if (first === 'op-conductor') return main(rest, first);
  if (isVersion(argv)) return version();
  if (first === 'run') return isVersion(rest) ? version() : run(rest, program);
  const isHelp = first === 'help' || first === 'h' || first === '--help' || first === '-h';
  if (isHelp && (rest[0] === 'run' || program === 'op-conductor')) return run(['--help'], program);
  if (!isHelp && (first === undefined || first.startsWith('-'))) return run(argv, program);
  const { runCommand } = await import('./commands/index.js');
  process.exitCode = await runCommand(isHelp ? ['help', ...rest] : argv, await commandIo());
}

/** Asked often, by scripts and by probes: nothing is loaded for it. */
function isVersion([first, second]: readonly string[]): boolean {
  return second === undefined && /^(version|--?(version|v))$/.test(first ?? '');
}

async function version(): Promise<void> {
  const { readVersion } = await import('./config/package-file.js');
  write(`baton version v${readVersion()}`);
}

async function commandIo(): Promise<CommandIo> {
  const { askOnTerminal, hasTerminal, screenOf } = await import('./commands/terminal.js');
  const giveUp = new AbortController();
  const { signal } = giveUp;
  signals.handle({ end: () => giveUp.abort(), endNow: () => process.exit(EXIT_INTERRUPTED) });
  const screen = screenOf();
  const io = { print: write, note: complain, env: process.env, signal, ...(screen && { screen }) };
  return hasTerminal() ? { ...io, confirm: (question) => askOnTerminal(question, signal) } : io;
}

async function run(argv: readonly string[], program: string): Promise<void> {
  const [{ parseConfig }, { ConfigError }, { readVersion }] = await Promise.all([
    import('./config/parse-config.js'),
    import('./config/config-error.js'),
    import('./config/package-file.js'),
  ]);
  const version = readVersion();
  try {
    const parsed = parseConfig(argv, process.env);
    if ('help' in parsed) return write(parsed.help);
    if ('version' in parsed) return write(`baton version v${version}`);
    await runConductor(parsed.config, { warnings: parsed.warnings, version: `v${version}`, program });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    complain(error.message);
    process.exitCode = EXIT_USAGE;
  }
}

async function runConductor(config: Config, start: StartedAs): Promise<void> {
  // Not before it is needed: the other commands begin sooner without it.
  const { ConductorProcess } = await import('./process/conductor-process.js');
  // After conductor_stop nothing else holds the process, and a supervisor would start again what was to stop.
  setInterval(() => undefined, LONGEST_TIMER_MS);
  const conductor = new ConductorProcess(config, start);
  signals.handle(conductor);
  await conductor.start();
}

await main(process.argv.slice(2), path.basename(process.argv[1] ?? ''));

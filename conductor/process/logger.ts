import { pino, type Logger } from 'pino';
import type { Config } from '../config/config.js';
import { formatLine, levelName } from './log-format.js';

/** Where lines go. Without pino's `flushSync`, which would wait for a reader: the process flushes with a limit. */
interface LineStream {
  write(line: string): void;
}

/** Where log lines go. */
interface LogOptions {
  out: LineStream;
  /** Gets all lines from level debug on, as JSON, regardless of the level and format of the log. */
  tail: LineStream;
  /**
   * The name that the process was started by. JSON of `op-conductor` has op-conductor's field names, on which the rules
   * of its users' log collectors rest; JSON of `baton` has pino's.
   */
  program: string;
}

/** The log kept in memory has lines of this level and above. */
const TAIL_LEVEL = 'debug';

/** Log lines, JSON unless `log.format` asks for another format (docs/MIGRATION.md). */
export function createLogger(config: Config, { out, tail, program }: LogOptions): Logger {
  const { level, format, color, pid } = config.log;
  const { values } = pino.levels;
  const isJson = format === 'json' || format === 'jsonms';
  return pino(
    {
      level: values[level]! < values[TAIL_LEVEL]! ? level : TAIL_LEVEL,
      base: { node: config.raft.serverId, ...(pid ? { pid: process.pid } : {}) },
      timestamp: pino.stdTimeFunctions.isoTime,
      ...(isJson && program === 'op-conductor' && GO_NAMES),
    },
    pino.multistream([
      { level, stream: isJson ? out : asText(out, format, color) },
      { level: TAIL_LEVEL, stream: tail },
    ]),
  );
}

/** `t`, `lvl` and `err` as a text, the way go-ethereum's loggers write JSON. */
const GO_NAMES = {
  timestamp: () => `,"t":"${new Date().toISOString()}"`,
  formatters: {
    level: (_: string, number: number) => ({ lvl: levelName(number) }),
    log: ({ err, ...fields }: Record<string, unknown>) =>
      err instanceof Error
        ? { ...fields, err: err.message, stack: err.stack }
        : { ...fields, ...(err !== undefined && { err }) },
  },
} as const;

function asText(
  out: LineStream,
  format: Exclude<Config['log']['format'], 'json' | 'jsonms'>,
  color: boolean | null,
): LineStream {
  const isTerminal = process.stdout.isTTY === true;
  const options = {
    format: format === 'text' ? (isTerminal ? ('terminal' as const) : ('logfmt' as const)) : format,
    color: color ?? isTerminal,
  };
  return { write: (line) => out.write(formatLine(line, options)) };
}

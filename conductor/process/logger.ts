import { pino, type DestinationStream, type Logger } from 'pino';
import type { Config } from '../config/config.js';
import { formatLine } from './log-format.js';

const STDOUT = 1;

/** `flushSync` is what pino calls after a fatal line: the process may be killed right behind it. */
type LineStream = DestinationStream & { flushSync?(): void };

/**
 * Lines on standard output. JSON unless `log.format` asks for another format (docs/MIGRATION.md).
 *
 * @param out where they go
 */
export function createLogger(config: Config, out: LineStream = pino.destination(STDOUT)): Logger {
  const { level, format, color, pid } = config.log;
  return pino(
    {
      level,
      base: { node: config.raft.serverId, ...(pid ? { pid: process.pid } : {}) },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    format === 'json' || format === 'jsonms' ? out : asText(out, format, color),
  );
}

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
  return {
    write: (line) => out.write(formatLine(line, options)),
    flushSync: () => out.flushSync?.(),
  };
}

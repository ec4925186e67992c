import { pino, type Logger } from 'pino';
import type { Config } from '../config/config.js';
import { formatLine } from './log-format.js';

/** Where lines go. Without pino's `flushSync`, which would wait for a reader: who ends the process flushes, for a while. */
interface LineStream {
  write(line: string): void;
}

/** Log lines, JSON unless `log.format` asks for another format (docs/MIGRATION.md). */
export function createLogger(config: Config, out: LineStream): Logger {
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
  return { write: (line) => out.write(formatLine(line, options)) };
}

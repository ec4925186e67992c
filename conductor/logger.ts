import { pino, type Logger } from 'pino';
import type { Config } from './config/config.js';

/** Structured lines on standard output, one JSON object each, whatever `log.format` says (docs/MIGRATION.md). */
export function createLogger(config: Config): Logger {
  return pino({
    level: config.log.level,
    base: { node: config.raft.serverId, ...(config.log.pid ? { pid: process.pid } : {}) },
    timestamp: pino.stdTimeFunctions.isoTime,
  });
}

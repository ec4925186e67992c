import { pino, type Logger } from 'pino';

/** A logger whose lines can be looked at; their level is its name. */
export function recordingLogger<Line>(level = 'info'): { logger: Logger; lines: Line[] } {
  const lines: Line[] = [];
  const formatters = { level: (name: string) => ({ level: name }) };
  const write = (text: string): void => void lines.push(JSON.parse(text) as Line);
  return { logger: pino({ base: null, timestamp: false, level, formatters }, { write }), lines };
}

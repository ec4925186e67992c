import { pino, type Logger } from 'pino';

/** A logger that keeps its lines, with the name of the level. */
export function recordingLogger<Line>(level = 'info'): { logger: Logger; lines: Line[] } {
  const lines: Line[] = [];
  const formatters = { level: (name: string) => ({ level: name }) };
  const write = (text: string): void => void lines.push(JSON.parse(text) as Line);
  return { logger: pino({ base: null, timestamp: false, level, formatters }, { write }), lines };
}

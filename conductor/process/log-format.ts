interface LogLineOptions {
  format: 'terminal' | 'logfmt' | 'logfmtms';
  color: boolean;
}

/** go-ethereum's names for pino's levels. */
const LEVELS: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'crit',
};

export const levelName = (level: number): string => LEVELS[level] ?? 'info';

const ANSI_COLORS: Readonly<Record<string, number>> = {
  crit: 35,
  error: 31,
  warn: 33,
  info: 32,
  debug: 36,
  trace: 34,
};

/** On a terminal, fields are aligned unless the message is longer than this. */
const MESSAGE_COLUMNS = 40;

/**
 * One line of text for one line of pino's JSON.
 *
 * @param json what pino wrote, with `time` as ISO 8601
 */
export function formatLine(json: string, { format, color }: LogLineOptions): string {
  const { level, time, msg = '', ...fields } = JSON.parse(json) as Record<string, unknown> & { time: string };
  const name = levelName(level as number);
  const pairs = flatten(fields);
  if (format !== 'terminal') {
    const moment = format === 'logfmtms' ? time.replace('Z', '+0000') : time.replace(/(\.\d+)?Z$/, '+0000');
    const all: [string, unknown][] = [['t', moment], ['lvl', name], ['msg', msg], ...pairs];
    return line(all.map(([key, value]) => pair(key, value)));
  }
  const paint = (text: string): string => (color ? `\u001b[${ANSI_COLORS[name]}m${text}\u001b[0m` : text);
  const moment = `${time.slice(5, 10)}|${time.slice(11, 23)}`;
  const text = String(msg);
  return line([
    `${paint(name.toUpperCase().padEnd(5))}[${moment}] ${pairs.length > 0 ? text.padEnd(MESSAGE_COLUMNS) : text}`,
    ...pairs.map(([key, value]) => pair(key, value, paint)),
  ]);
}

function line(parts: readonly string[]): string {
  return `${parts.join(' ')}\n`;
}

/** Errors become their message and stack; other objects stay JSON. */
function flatten(fields: Record<string, unknown>): [string, unknown][] {
  return Object.entries(fields).flatMap(([key, value]): [string, unknown][] => {
    if (key !== 'err' || typeof value !== 'object' || value === null) return [[key, value]];
    const { message, stack } = value as { message?: unknown; stack?: unknown };
    return [['err', message], ...(stack === undefined ? [] : [['stack', stack] as [string, unknown]])];
  });
}

function pair(key: string, value: unknown, paint = (text: string): string => text): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'null');
  return `${paint(key)}=${/^[^\s="\\\p{Cc}]+$/u.test(text) ? text : JSON.stringify(text)}`;
}

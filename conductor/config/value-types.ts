import { z } from 'zod';
import { formatGoDuration, parseGoDuration } from './go-duration.js';
import { parseGoInt, parseGoUint } from './go-integer.js';
import { isWildcard, parseHostPort } from './host-port.js';

/** How the text of a flag or variable becomes a value, and how the help shows the value. */
export interface ValueType<T> {
  schema: z.ZodType<T, string>;
  /** Stands for the value in the help; empty for booleans, which need none. */
  placeholder: string;
  /** Follows "expected" in the error text. */
  expected: string;
  format: (value: T) => string;
  /** The value of a variable that is set but empty (as in Go's urfave/cli); absent: as if it were not set. */
  emptyVariable?: string;
}

/** A member of the static formation list. */
export interface RaftPeer {
  id: string;
  /** `host:port` of its consensus server. */
  addr: string;
}

/** Node's timers overflow beyond this (24.8 days) and would fire at once; longer durations are cut to it. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

function parsed<T>(parse: (text: string) => T | null): z.ZodType<T, string> {
  return z.string().transform((text, context) => {
    const value = parse(text);
    if (value !== null) return value;
    context.addIssue({ code: 'custom' });
    return z.NEVER;
  });
}

export const text: ValueType<string> = {
  schema: z.string(),
  placeholder: 'text',
  expected: 'text',
  format: (value) => value,
  emptyVariable: '',
};

/** The forms that Go's `strconv.ParseBool` accepts. */
export const boolean: ValueType<boolean> = {
  schema: z.stringbool({
    truthy: ['1', 't', 'T', 'TRUE', 'true', 'True'],
    falsy: ['0', 'f', 'F', 'FALSE', 'false', 'False'],
    case: 'sensitive',
  }),
  placeholder: '',
  expected: 'true or false',
  format: String,
  emptyVariable: 'false',
};

/** Milliseconds, possibly negative: which flags may be negative is a separate rule. */
export const duration: ValueType<number> = {
  schema: parsed((value) => {
    const ms = parseGoDuration(value);
    return ms === null ? null : Math.min(ms, LONGEST_TIMER_MS);
  }),
  placeholder: 'duration',
  expected: 'a duration such as 500ms, 1s or 1m30s',
  format: formatGoDuration,
};

/** An unsigned integer; Go's 64 bits are cut to 53 (`18446744073709551615` is used for "never"). */
export const uint: ValueType<number> = {
  schema: parsed((value) => toNumber(parseGoUint(value))),
  placeholder: 'number',
  expected: 'a whole number, 0 or more',
  format: String,
};

/** Any integer: the range is a separate rule, since op-conductor has a text for it. */
export const port: ValueType<number> = {
  schema: parsed((value) => toNumber(parseGoInt(value))),
  placeholder: 'port',
  expected: 'a port number',
  format: String,
};

function toNumber(value: bigint | null): number | null {
  return value === null ? null : Math.min(Number(value), Number.MAX_SAFE_INTEGER);
}

export function choice<const T extends string>(...values: readonly T[]): ValueType<T> {
  return {
    schema: z.enum(values),
    placeholder: values.filter((value) => value !== '').join('|'),
    expected: `one of ${values.filter((value) => value !== '').join(', ')}`,
    format: (value) => value,
  };
}

const levels = {
  trace: 'trace',
  trce: 'trace',
  debug: 'debug',
  dbug: 'debug',
  info: 'info',
  warn: 'warn',
  error: 'error',
  eror: 'error',
  crit: 'fatal',
} as const;

type LogLevel = (typeof levels)[keyof typeof levels];

/** op-conductor's level names, in upper or lower case, to pino's. */
export const logLevel: ValueType<LogLevel> = {
  schema: parsed((value) => (levels as Record<string, LogLevel>)[value.toLowerCase()] ?? null),
  placeholder: 'level',
  expected: 'one of trace, debug, info, warn, error, crit',
  format: (value) => (value === 'fatal' ? 'crit' : value),
};

/** `id@host:port` of every member, separated by commas; the rules check them against each other. */
export const peerList: ValueType<RaftPeer[]> = {
  schema: parsed((value) => {
    const peers = value.split(',').map((entry) => {
      const [, id, addr] = /^([^@,]+)@(.+)$/.exec(entry.trim()) ?? [];
      const address = parseHostPort(addr ?? '');
      return id !== undefined && addr !== undefined && address && !isWildcard(address.host)
        ? { id, addr }
        : null;
    });
    return peers.includes(null) ? null : (peers as RaftPeer[]);
  }),
  placeholder: 'id@host:port,...',
  expected: 'id@host:port of every member, separated by commas',
  format: (value) => value.map(({ id, addr }) => `${id}@${addr}`).join(','),
};

import { MIB } from '../../../common/bytes.js';

/** Byte range in the body. */
export interface Span {
  start: number;
  end: number;
}

/** Where the first JSON value of a body lies, and the ids of its messages as they are written. */
export interface ScannedBody extends Span {
  /**
   * The `id` of each message, by position in the batch (0 for a single message); a hole where there is none
   * or where it is an object or array. The last of several wins, as in JSON.parse.
   */
  ids: Span[];
  /** Length of the `params` of each message as written, by position in the batch; a hole where there are none. */
  paramsBytes: number[];
}

/** Why a body is not worth parsing. */
type ScanProblem = 'empty' | 'malformed' | 'too-many-values';

// Go's JSON decoder also gives up here.
const MAX_DEPTH = 10_000;

/**
 * A hostile 32 MiB body of `{},{},…` would stop the event loop for 6 s and take 1 GB in JSON.parse. A real one
 * of that size has fewer values: a transaction takes at least 128 bytes of JSON.
 */
const MAX_VALUES = 2 ** 18;

/** A member of an object costs JSON.parse several times what an element of a list costs; payloads have few. */
const MEMBER_VALUES = 8;

/**
 * Everything outside strings is walked byte by byte here, and 32 MiB of blanks, digits or empty strings would take a
 * third of a second. An indented body at the limit of values has fewer.
 */
const MAX_BYTES_OUTSIDE_STRINGS = 4 * MIB;

/** Even the shortest string costs as much as this many bytes. */
const STRING_BYTES = 8;

/** Longest run of blanks, and longest number, that is walked over at once. */
const MAX_RUN = MIB;

/** Strings shorter than this are walked here: a call into native code costs more. */
const NATIVE_SEARCH_FROM = 32;

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const LOWER_U = 0x75;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Finds what JSON.parse cannot report: where the first value ends (op-conductor ignores the rest) and how the ids are
 * written (`1e3` and integers above 2^53 are echoed digit by digit). It does not validate; a body that passes may still
 * not parse. Takes some 20 ms of CPU for any body of 32 MiB.
 */
export function scanBody(body: Buffer): ScannedBody | ScanProblem {
  const start = skipWhitespace(body, 0);
  if (start === body.length) return 'empty';
  const first = body[start];
  if (first !== OPEN_OBJECT && first !== OPEN_ARRAY) {
    const end = skipScalar(body, start);
    return end === -1 ? 'malformed' : { start, end, ids: [], paramsBytes: [] };
  }

  const isBatch = first === OPEN_ARRAY;
  const messageDepth = isBatch ? 2 : 1;
  const ids: Span[] = [];
  const paramsBytes: number[] = [];
  /** Where the params of the current message begin; -1 outside of them. */
  let paramsAt = -1;
  const endParams = (end: number): void => {
    if (paramsAt !== -1) paramsBytes[message] = end - paramsAt;
    paramsAt = -1;
  };
  let depth = 0;
  let values = 1;
  let message = 0;
  let outsideStrings = 0;
  let at = start;
  while (at < body.length) {
    if (++outsideStrings > MAX_BYTES_OUTSIDE_STRINGS) return 'too-many-values';
    switch (body[at]) {
      case QUOTE: {
        const end = skipString(body, at);
        if (end === -1) return 'malformed';
        const id =
          depth === messageDepth && isKey('id', body, at, end) ? scalarAfterColon(body, end) : undefined;
        if (id) ids[message] = id;
        if (depth === messageDepth && paramsAt === -1) paramsAt = paramsAfterKey(body, at, end);
        at = id?.end ?? end;
        outsideStrings += STRING_BYTES;
        continue;
      }
      case OPEN_ARRAY:
      case OPEN_OBJECT:
        depth++;
        values++;
        if (depth > MAX_DEPTH) return 'malformed';
        break;
      case CLOSE_ARRAY:
      case CLOSE_OBJECT:
        depth--;
        if (depth === messageDepth - 1) endParams(at);
        if (depth === 0) return { start, end: at + 1, ids, paramsBytes };
        break;
      case COLON:
        values += MEMBER_VALUES - 1;
        break;
      case COMMA:
        values++;
        if (depth === messageDepth) endParams(at);
        if (isBatch && depth === 1) message++;
        break;
    }
    if (values > MAX_VALUES) return 'too-many-values';
    at++;
  }
  return 'malformed';
}

/** Whether a string is this key, of ASCII letters: each of them may be written as an escape (`\u0069`). */
function isKey(key: string, body: Buffer, start: number, end: number): boolean {
  let at = start + 1;
  for (let letter = 0; letter < key.length; letter++) {
    const code = key.charCodeAt(letter);
    if (body[at] === code) at++;
    else if (body[at] !== BACKSLASH || body[at + 1] !== LOWER_U) return false;
    else if (parseInt(body.toString('latin1', at + 2, at + 6), 16) !== code) return false;
    else at += 6;
  }
  return at === end - 1;
}

/** Where the value begins if the string is the key `params`; else -1. */
function paramsAfterKey(body: Buffer, start: number, end: number): number {
  if (!isKey('params', body, start, end)) return -1;
  const colon = skipWhitespace(body, end);
  return body[colon] === COLON ? skipWhitespace(body, colon + 1) : -1;
}

function scalarAfterColon(body: Buffer, from: number): Span | undefined {
  const colon = skipWhitespace(body, from);
  if (body[colon] !== COLON) return undefined;
  const start = skipWhitespace(body, colon + 1);
  const end = skipScalar(body, start);
  return end > start ? { start, end } : undefined;
}

function skipWhitespace(body: Buffer, from: number): number {
  const stop = from + MAX_RUN;
  let at = from;
  while (at < stop && (body[at] === SPACE || body[at] === LF || body[at] === CR || body[at] === TAB)) at++;
  return at;
}

/** End of the string, number or word at `from`; `from` itself if there is none, -1 for an endless string. */
function skipScalar(body: Buffer, from: number): number {
  if (body[from] === QUOTE) return skipString(body, from);
  const stop = from + MAX_RUN;
  let at = from;
  while (at < stop && isWordByte(body[at])) at++;
  return at < stop ? at : -1;
}

function isWordByte(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  return (
    (byte >= 0x30 && byte <= 0x39) || // 0-9
    (byte >= 0x61 && byte <= 0x7a) || // a-z
    (byte >= 0x41 && byte <= 0x5a) || // A-Z
    byte === 0x2b || // +
    byte === 0x2d || // -
    byte === 0x2e // .
  );
}

/** Position after the closing quote of the string that starts at `open`, or -1. */
function skipString(body: Buffer, open: number): number {
  let at = open + 1;
  let walk = NATIVE_SEARCH_FROM;
  for (;;) {
    const stop = Math.min(body.length, at + walk);
    while (at < stop) {
      if (body[at] === QUOTE) return at + 1;
      at += body[at] === BACKSLASH ? 2 : 1;
    }
    const quote = at < body.length ? body.indexOf(QUOTE, at) : -1;
    if (quote === -1) return -1;
    let backslashes = 0;
    while (quote - backslashes > at && body[quote - backslashes - 1] === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return quote + 1;
    at = quote + 1;
    // A string full of escaped quotes must not cost a native call for each.
    walk *= 2;
  }
}

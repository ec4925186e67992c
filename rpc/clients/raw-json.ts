/** A result, or an error's data, that is already JSON: it goes to the client byte for byte. */
export class RawJson {
  constructor(readonly text: string) {}
}

const WHITESPACE = /[ \t\n\r]*/y;
const SCALAR = /[-+.0-9a-zA-Z]+/y;
/** The tokens that decide where a nested value ends. */
const STRUCTURE = /["{}[\]]/g;

/**
 * The members of a JSON object with their values as they are written: for passing values on byte for byte, and for
 * megabytes that need not be parsed. Nested values are only measured, not checked. Of repeated members the last wins.
 *
 * @returns null when `json` is not an object, or ends early
 */
export function rawMembers(json: string): Map<string, string> | null {
  const members = new Map<string, string>();
  let at = skip(WHITESPACE, json, 0);
  if (json[at] !== '{') return null;
  at = skip(WHITESPACE, json, at + 1);
  if (json[at] === '}') return skip(WHITESPACE, json, at + 1) === json.length ? members : null;
  for (;;) {
    const keyEnd = json[at] === '"' ? stringEnd(json, at) : -1;
    if (keyEnd === -1) return null;
    const colon = skip(WHITESPACE, json, keyEnd);
    if (json[colon] !== ':') return null;
    const start = skip(WHITESPACE, json, colon + 1);
    const end = valueEnd(json, start);
    if (end === -1) return null;
    members.set(json.slice(at + 1, keyEnd - 1), json.slice(start, end));
    at = skip(WHITESPACE, json, end);
    if (json[at] === '}') return skip(WHITESPACE, json, at + 1) === json.length ? members : null;
    if (json[at] !== ',') return null;
    at = skip(WHITESPACE, json, at + 1);
  }
}

function skip(pattern: RegExp, json: string, from: number): number {
  pattern.lastIndex = from;
  return pattern.test(json) ? pattern.lastIndex : from;
}

/** Position after the value that starts at `start`; -1 if none does. */
function valueEnd(json: string, start: number): number {
  const first = json[start];
  if (first === '"') return stringEnd(json, start);
  if (first !== '{' && first !== '[') {
    const end = skip(SCALAR, json, start);
    return end === start ? -1 : end;
  }
  let depth = 0;
  STRUCTURE.lastIndex = start;
  for (;;) {
    const found = STRUCTURE.exec(json);
    if (!found) return -1;
    if (found[0] === '"') {
      const end = stringEnd(json, found.index);
      if (end === -1) return -1;
      STRUCTURE.lastIndex = end;
    } else {
      depth += found[0] === '{' || found[0] === '[' ? 1 : -1;
      if (depth === 0) return STRUCTURE.lastIndex;
    }
  }
}

/** Position after the closing quote of the string that starts at `open`; -1 without one. */
function stringEnd(json: string, open: number): number {
  for (let quote = json.indexOf('"', open + 1); quote !== -1; quote = json.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (json[quote - 1 - backslashes] === '\\') backslashes++;
    if (backslashes % 2 === 0) return quote + 1;
  }
  return -1;
}

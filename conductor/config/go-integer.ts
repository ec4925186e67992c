/** The digits that may follow each prefix of Go's literals, and the base; `010` is octal. */
const LITERAL =
  /^(?:0[xX](?:_?[0-9a-fA-F])+|0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0(?:_?[0-7])*|[1-9](?:_?[0-9])*)$/;

const BITS = 64n;

/**
 * An unsigned integer as Go's `strconv.ParseUint(text, 0, 64)` reads it, which op-conductor uses for its numeric flags:
 * `16`, `0x10`, `0o20`, `020`, `0b10000`, `1_000`; null if it is not one, or needs more than 64 bits.
 */
export function parseGoUint(text: string): bigint | null {
  const value = magnitude(text);
  return value !== null && value < 2n ** BITS ? value : null;
}

/** The same for `strconv.ParseInt`, which accepts a sign. */
export function parseGoInt(text: string): bigint | null {
  const value = magnitude(text.replace(/^[+-]/, ''));
  if (value === null) return null;
  const signed = text.startsWith('-') ? -value : value;
  return signed === BigInt.asIntN(Number(BITS), signed) ? signed : null;
}

function magnitude(text: string): bigint | null {
  if (!LITERAL.test(text)) return null;
  const digits = text.replaceAll('_', '');
  return BigInt(/^0\d/.test(digits) ? `0o${digits}` : digits);
}

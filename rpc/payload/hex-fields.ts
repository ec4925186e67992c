import type { GoField } from './go-json-error.js';
import { badField, cannotUnmarshal } from './go-json-error.js';

const UINT64_DIGITS = 16;
const UINT256_DIGITS = 64;

// Node's hex decoder reads only the low byte of each UTF-16 unit: it reads U+0130 as '0'. On a string that
// V8 keeps in one byte per character, this test costs nothing.
const WIDE_CHARACTER = /[\u0100-\uffff]/;

/** Checks that `value` is `0x` and an even number of characters; they are decoded by `writeBytes`. */
export function hexBytesLength(value: unknown, field: GoField): number {
  if (typeof value !== 'string') throw cannotUnmarshal('non-string', field);
  if (!has0xPrefix(value)) throw cannotUnmarshal('hex string without 0x prefix', field);
  if (value.length % 2 !== 0) throw cannotUnmarshal('hex string of odd length', field);
  return (value.length - 2) / 2;
}

/** Writes a string that `hexBytesLength` measured as `length` bytes. */
export function writeBytes(out: Buffer, start: number, length: number, value: string, field: GoField): void {
  // `write` stops without an error at the first character that is not a hex digit.
  if (WIDE_CHARACTER.test(value) || out.write(value.slice(2), start, length, 'hex') !== length) {
    throw cannotUnmarshal('invalid hex string', field);
  }
}

/** Writes a hex string of exactly `length` bytes. */
export function writeFixedBytes(
  out: Buffer,
  start: number,
  length: number,
  value: unknown,
  field: GoField,
): void {
  const actual = hexBytesLength(value, field);
  if (actual !== length) {
    throw badField(field, `hex string has length ${actual * 2}, want ${length * 2} for ${field.goType}`);
  }
  writeBytes(out, start, length, value as string, field);
}

/** Writes a hex quantity as a little-endian uint64. */
export function writeUint64(out: Buffer, start: number, value: unknown, field: GoField): void {
  out.writeBigUInt64LE(BigInt(`0x${quantityDigits(value, UINT64_DIGITS, field)}`), start);
}

/** Writes a hex quantity as a little-endian uint256. */
export function writeUint256(out: Buffer, start: number, value: unknown, field: GoField): void {
  out.write(quantityDigits(value, UINT256_DIGITS, field).padStart(UINT256_DIGITS, '0'), start, 'hex');
  out.subarray(start, start + UINT256_DIGITS / 2).reverse();
}

function quantityDigits(value: unknown, maxDigits: number, field: GoField): string {
  if (typeof value !== 'string') throw cannotUnmarshal('non-string', field);
  // Go reads "" as zero, but a block with an empty number is a mistake of its sender.
  const problem = quantityProblem(value, maxDigits * 4);
  if (problem !== undefined) throw cannotUnmarshal(problem, field);
  return value.slice(2);
}

/** What go-ethereum's `hexutil` finds wrong with a quantity of at most this many bits; undefined if nothing is. */
export function quantityProblem(text: string, maxBits: number): string | undefined {
  if (text === '') return 'empty hex string';
  if (!has0xPrefix(text)) return 'hex string without 0x prefix';
  const digits = text.slice(2);
  if (digits === '') return 'hex string "0x"';
  if (digits.length > 1 && digits.startsWith('0')) return 'hex number with leading zero digits';
  if (digits.length > maxBits / 4) return `hex number > ${maxBits} bits`;
  if (!/^[0-9a-fA-F]+$/.test(digits)) return 'invalid hex string';
  return undefined;
}

function has0xPrefix(value: string): boolean {
  return value.startsWith('0x') || value.startsWith('0X');
}

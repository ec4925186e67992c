import type { EntryHeader, EntryKind } from './entries.js';

/** Chain hash of the empty log. */
export const EMPTY_CHAIN_HASH = 0;

const KIND_CODE: Record<EntryKind, number> = { noop: 1, config: 2, command: 3 };

/** Finaliser of MurmurHash3: every input bit touches every output bit. */
function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * Hash of an entry's header chained to the hash of the entry before it: 53 bits, held in a number.
 *
 * It guards against accidents (a log that storage silently shortened or mixed up), not against
 * attackers; the data is covered through its CRC.
 */
export function chainHash(
  previous: number,
  header: Pick<EntryHeader, 'index' | 'term' | 'kind' | 'byteLength' | 'crc'>,
): number {
  const words = [
    previous >>> 0,
    Math.floor(previous / 2 ** 32),
    header.index >>> 0,
    Math.floor(header.index / 2 ** 32),
    header.term >>> 0,
    Math.floor(header.term / 2 ** 32),
    KIND_CODE[header.kind],
    header.byteLength >>> 0,
    header.crc,
  ];
  let low = 0x9e3779b9;
  let high = 0x7f4a7c15;
  for (const word of words) {
    low = mix(low ^ word);
    high = mix((high + low) ^ Math.imul(word, 0x27d4eb2f));
  }
  return (high & 0x1fffff) * 2 ** 32 + low;
}

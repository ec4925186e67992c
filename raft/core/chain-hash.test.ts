import { expect, it } from '@jest/globals';
import { chainHash } from './chain-hash.js';

const header = { index: 7, term: 3, kind: 'command' as const, byteLength: 100, crc: 0xdeadbeef };

it('depends on everything in the header and on what came before', () => {
  const variants = [
    chainHash(1, header),
    chainHash(2, header),
    chainHash(1 + 2 ** 40, header),
    chainHash(1, { ...header, index: 8 }),
    chainHash(1, { ...header, index: 7 + 2 ** 33 }),
    chainHash(1, { ...header, term: 4 }),
    chainHash(1, { ...header, kind: 'config' }),
    chainHash(1, { ...header, byteLength: 101 }),
    chainHash(1, { ...header, crc: 0xdeadbeee }),
  ];
  expect(new Set(variants).size).toBe(variants.length);
  expect(variants.every((hash) => Number.isSafeInteger(hash) && hash >= 0)).toBe(true);
});

it('never changes, because it is on disks', () => {
  expect(chainHash(0, header)).toBe(1252658849958575);
});

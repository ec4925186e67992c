import { crc32 as zlibCrc32 } from 'node:zlib';
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { crc32 } from './crc32.js';

it('is the function that the runtime takes from zlib', () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => expect(crc32(bytes)).toBe(zlibCrc32(bytes))));
});

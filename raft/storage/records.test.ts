import { crc32 } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import { encodeConfiguration } from '../core/configuration.js';
import type { EntryHeader } from '../core/entries.js';
import { configurationOf } from './checks.js';
import { StorageError } from './errors.js';
import { decodeHeader, encodeHeader, seal, unseal } from './records.js';
import { readManifest } from './records-reader.js';
import { schemas } from './schemas.js';
import { SNAPSHOT_CHUNK_BYTES } from './snapshot-stream.js';
import { entryAfter } from './testing/test-log.js';
import { ORIGIN } from './manifest.js';

const count = fc.maxSafeNat();
const small = fc.nat(2 ** 32 - 1);
const header: fc.Arbitrary<EntryHeader> = fc.record({
  index: count,
  term: count,
  kind: fc.constantFrom('noop', 'config', 'command'),
  byteLength: small,
  crc: small,
  chainHash: count,
});
const position = fc.record({ index: count, term: count, chainHash: count });
const hex16 = fc.stringMatching(/^[0-9a-f]{32}$/);
const member = fc.record({ id: fc.string(), address: fc.string(), incarnation: hex16, voter: fc.boolean() });
const configuration = fc.record({ members: fc.array(member, { maxLength: 7 }) });

const records = {
  manifest: fc.record({
    writeSeq: count,
    hardState: fc.record({ term: count, votedFor: fc.option(fc.string()), commit: count }),
    base: position,
    last: position,
  }),
  identity: fc.record({ nodeId: fc.string(), incarnation: hex16, clusterId: fc.option(hex16) }),
  snapshot: fc
    .record({
      position,
      configuration: fc.record({ index: count, configuration }),
      byteLength: fc.nat(2 ** 24),
      crc: small,
    })
    .map(({ position: at, ...rest }) => ({
      ...at,
      ...rest,
      chunkCrcs: Array.from({ length: Math.ceil(rest.byteLength / SNAPSHOT_CHUNK_BYTES) }, () => 7),
    })),
  mark: count,
};
const names = Object.keys(records) as (keyof typeof records)[];
const schemaOf = (name: keyof typeof records): z.ZodType<unknown> => schemas[name] as z.ZodType<unknown>;

const withBit = (record: Buffer, at: number, bit: number): Buffer => {
  const copy = Buffer.from(record);
  copy.writeUInt8(copy.readUInt8(at) ^ (1 << bit), at);
  return copy;
};

/** Any JSON with a correct CRC in front. */
const resealed = (json: Uint8Array): Buffer => {
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(crc32(json));
  return Buffer.concat([crc, json]);
};

describe('the header of an entry', () => {
  it('is read back unchanged', () => {
    fc.assert(
      fc.property(header, (value) => expect(decodeHeader(value.index, encodeHeader(value))).toEqual(value)),
    );
  });

  it('is damaged when a bit is wrong or a byte is missing', () => {
    fc.assert(
      fc.property(header, (value) => {
        const record = encodeHeader(value);
        for (let at = 0; at < record.length; at++) {
          expect(decodeHeader(value.index, record.subarray(0, at))).toBeUndefined();
          for (let bit = 0; bit < 8; bit++) {
            expect(decodeHeader(value.index, withBit(record, at, bit))).toBeUndefined();
          }
        }
        expect(decodeHeader(value.index, Buffer.concat([record, Buffer.of(0)]))).toBeUndefined();
      }),
      { numRuns: 20 },
    );
  });

  it('must have valid numbers, even when its CRC is right', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 25, maxLength: 25 }), (bytes) => {
        const crc = Buffer.alloc(4);
        crc.writeUInt32BE(crc32(bytes));
        const decoded = decodeHeader(1, Buffer.concat([bytes, crc]));
        if (decoded === undefined) return;
        expect(Number.isSafeInteger(decoded.term) && Number.isSafeInteger(decoded.chainHash)).toBe(true);
        expect(['noop', 'config', 'command']).toContain(decoded.kind);
      }),
    );
  });
});

describe.each(names)('the record of the %s', (name) => {
  const value = records[name] as fc.Arbitrary<unknown>;

  it('is read back unchanged', () => {
    fc.assert(
      fc.property(value, (content) => expect(unseal(seal(content), schemaOf(name))).toEqual(content)),
    );
  });

  it('is damaged when a bit is wrong or a byte is missing', () => {
    fc.assert(
      fc.property(value, fc.nat(), fc.nat(7), (content, place, bit) => {
        const record = seal(content);
        const at = place % record.length;
        expect(unseal(record.subarray(0, at), schemaOf(name))).toBeUndefined();
        expect(unseal(withBit(record, at, bit), schemaOf(name))).toBeUndefined();
      }),
    );
  });

  it('is undefined, without an exception, for any bytes with a correct CRC', () => {
    const json = fc.oneof(
      fc.json().map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 200 }),
    );
    fc.assert(
      fc.property(json, (bytes) => {
        const content = unseal(resealed(bytes), schemaOf(name));
        if (content !== undefined) expect(schemaOf(name).safeParse(content).success).toBe(true);
      }),
    );
  });
});

it('an invalid manifest is refused with a code', () => {
  for (const record of [
    undefined,
    Buffer.alloc(0),
    seal(null),
    seal({ writeSeq: 'one' }),
    resealed(Buffer.from('{')),
  ]) {
    expect(() => readManifest(record)).toThrow(expect.objectContaining({ code: 'damaged-manifest' }));
  }
});

it('a snapshot announces as many chunks as its bytes need', () => {
  const record = {
    index: 1,
    term: 1,
    chainHash: 1,
    configuration: { index: 1, configuration: { members: [] } },
  };
  expect(
    unseal(seal({ ...record, byteLength: 5, crc: 0, chunkCrcs: [1, 2] }), schemas.snapshot),
  ).toBeUndefined();
  expect(
    unseal(seal({ ...record, byteLength: 2 ** 40, crc: 0, chunkCrcs: [1] }), schemas.snapshot),
  ).toBeUndefined();
});

describe('a configuration', () => {
  const entry = (data: Uint8Array) => entryAfter(ORIGIN, 1, data, 'config');

  it('is read back unchanged, in order of the ids', () => {
    const unique = fc.uniqueArray(member, { selector: ({ id }) => id, maxLength: 7 });
    fc.assert(
      fc.property(unique, (members) => {
        const sorted = [...members].sort((a, b) => (a.id < b.id ? -1 : 1));
        expect(configurationOf(entry(encodeConfiguration({ members }))).configuration.members).toEqual(
          sorted,
        );
      }),
    );
  });

  it.each(['', 'null', '{}', '{"members":1}', '['.repeat(100_000)])(
    'that is invalid counts as damage: %.20s',
    (text) => {
      expect(() => configurationOf(entry(Buffer.from(text)))).toThrow(StorageError);
    },
  );
});

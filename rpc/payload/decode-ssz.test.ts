import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { sampleEnvelope } from '../server/testing/sample-envelope.js';
import { decodeEnvelope } from './decode-envelope.js';
import { decodeSsz } from './decode-ssz.js';
import { envelopeJson } from './envelope-json.js';
import { PayloadError } from './payload-error.js';
import { at } from './ssz-layout.js';

const v3 = encode({});
const v4 = encode({ withdrawalsRoot: `0x${'77'.repeat(32)}` });

function encode(changes: Record<string, unknown>): Buffer {
  const transactions = ['0x7e0102', '0x', '0x02ffee'];
  return decodeEnvelope(sampleEnvelope({ extraData: '0xabcd', transactions, ...changes })).ssz;
}

/** A copy of `ssz` with the uint32 at `offset` replaced. */
function withUint32(ssz: Buffer, offset: number, value: number): Buffer {
  const copy = Buffer.from(ssz);
  copy.writeUInt32LE(value, offset);
  return copy;
}

function refusal(ssz: Uint8Array): PayloadError {
  try {
    decodeSsz(ssz);
  } catch (error) {
    if (error instanceof PayloadError) return error;
    throw error;
  }
  throw new Error('accepted');
}

describe('decodeSsz', () => {
  it('reads V3 and V4 without copying', () => {
    for (const ssz of [v3, v4, encode({ transactions: [], extraData: '0x' })]) {
      const payload = decodeSsz(ssz);
      expect(payload.ref).toEqual({
        number: 1,
        hash: `0x${'66'.repeat(32)}`,
        parentHash: `0x${'11'.repeat(32)}`,
        timestamp: 5,
      });
      expect(payload.ssz.buffer).toBe(ssz.buffer);
      expect(payload.ssz.equals(ssz)).toBe(true);
    }
  });

  it('reads a Uint8Array that is a window of a larger one', () => {
    const large = new Uint8Array(v4.length + 20);
    large.set(v4, 7);
    expect(decodeSsz(large.subarray(7, 7 + v4.length)).ssz.equals(v4)).toBe(true);
  });

  const table = 32 + v3.readUInt32LE(at.transactionsOffset);
  it.each<[string, Buffer, string, RegExp]>([
    ['nothing', Buffer.alloc(0), 'executionPayload', /0 bytes, at least 560/],
    [
      'a V1 fixed part',
      withUint32(v3, at.extraDataOffset, 508),
      'executionPayload.extraData',
      /508 is neither/,
    ],
    ['V4 cut to V3 size', v4.subarray(0, 560), 'executionPayload.transactions', /outside 560\.\.528/],
    [
      'transactions before extraData',
      withUint32(v3, at.transactionsOffset, 527),
      'executionPayload.transactions',
      /527/,
    ],
    [
      'transactions far out',
      withUint32(v3, at.transactionsOffset, 2 ** 32 - 1),
      'executionPayload.transactions',
      /4294967295/,
    ],
    [
      '33 bytes of extraData',
      withUint32(encode({ extraData: `0x${'00'.repeat(32)}` }), at.transactionsOffset, 561),
      'executionPayload.extraData',
      /has 33 bytes/,
    ],
    [
      'withdrawals far out',
      withUint32(v3, at.withdrawalsOffset, 2 ** 31),
      'executionPayload.withdrawals',
      /2147483648/,
    ],
    [
      'one withdrawal',
      Buffer.concat([v3, Buffer.alloc(44)]),
      'executionPayload.withdrawals',
      /44 bytes found/,
    ],
    [
      'a trailing byte',
      Buffer.concat([v4, Buffer.alloc(1)]),
      'executionPayload.withdrawals',
      /1 bytes found/,
    ],
    ['a table of 13 bytes', withUint32(v3, table, 13), 'executionPayload.transactions', /13 is not the size/],
    ['an empty table', withUint32(v3, table, 0), 'executionPayload.transactions', /0 is not the size/],
    [
      'a table beyond the list',
      withUint32(v3, table, 4000),
      'executionPayload.transactions',
      /4000 is not the size/,
    ],
    [
      'offsets that go back',
      withUint32(v3, table + 8, 11),
      'executionPayload.transactions[2]',
      /11 is outside/,
    ],
    [
      'an offset beyond the list',
      withUint32(v3, table + 4, 999),
      'executionPayload.transactions[1]',
      /999 is outside/,
    ],
    [
      'a block number of 2^53',
      withUint32(v3, at.blockNumber + 4, 2 ** 21),
      'executionPayload.blockNumber',
      /above 2\^53-1/,
    ],
    [
      'a timestamp of 2^53',
      withUint32(v3, at.timestamp + 4, 2 ** 21),
      'executionPayload.timestamp',
      /above 2\^53-1/,
    ],
  ])('refuses %s', (_name, ssz, field, message) => {
    const error = refusal(ssz);
    expect(error).toMatchObject({ code: 'bad-field', field });
    expect(error.message).toMatch(message);
    expect(error.message.startsWith(field)).toBe(true);
  });

  it('has only typed errors for hostile bytes, and accepts only the canonical encoding', () => {
    const patch = fc.record({ at: fc.nat(v4.length - 4), value: fc.nat(700) });
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 1200 }),
      fc
        .tuple(fc.constantFrom(v3, v4), fc.array(patch, { maxLength: 4 }), fc.nat(v4.length))
        .map(([ssz, patches, cut]) => {
          const copy = Buffer.concat([ssz, Buffer.alloc(4)]);
          for (const { at: offset, value } of patches)
            copy.writeUInt32LE(value, Math.min(offset, ssz.length));
          return copy.subarray(0, cut % 3 === 0 ? cut : ssz.length);
        }),
      fc
        .tuple(
          fc.constantFrom(
            at.extraDataOffset,
            at.transactionsOffset,
            at.withdrawalsOffset,
            table,
            table + 4,
            table + 8,
          ),
          fc.oneof(fc.nat(700), fc.nat(0xffffffff)),
        )
        .map(([offset, value]) => withUint32(v3, offset, value)),
    );
    fc.assert(
      fc.property(bytes, (ssz) => {
        try {
          const accepted = decodeSsz(ssz);
          const again = decodeEnvelope(JSON.parse(envelopeJson(accepted.ssz)));
          expect(again.ssz.equals(accepted.ssz)).toBe(true);
          expect(again.ref).toEqual(accepted.ref);
        } catch (error) {
          expect(error).toBeInstanceOf(PayloadError);
        }
      }),
      { numRuns: 5000 },
    );
  });
});

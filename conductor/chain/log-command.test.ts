import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hashOf, payloadOf, refOf } from '../testing/chain.js';
import { decodeCommand, encodeCommand } from './log-command.js';

const payload = payloadOf(refOf(258));

describe('log command', () => {
  it.each([
    ['a block', undefined],
    ['a block that replaces a head', hashOf(260, 'b')],
  ])('round trip of %s', (_, replacesHead) => {
    const decoded = decodeCommand(encodeCommand({ payload, replacesHead }));
    expect(decoded.replacesHead).toBe(replacesHead);
    expect(decoded.payload.ref).toEqual(refOf(258));
    expect(decoded.payload.ssz.equals(payload.ssz)).toBe(true);
  });

  it('begins with type and version; the rest is the bare SSZ', () => {
    const append = encodeCommand({ payload, replacesHead: undefined });
    expect([...append.subarray(0, 2)]).toEqual([1, 1]);
    expect(append.subarray(2).equals(payload.ssz)).toBe(true);

    const replace = encodeCommand({ payload, replacesHead: hashOf(260) });
    expect([...replace.subarray(0, 2)]).toEqual([2, 1]);
    expect(`0x${replace.toString('hex', 2, 34)}`).toBe(hashOf(260));
    expect(replace.subarray(34).equals(payload.ssz)).toBe(true);
  });

  it('reads an entry out of the middle of a larger buffer', () => {
    const encoded = encodeCommand({ payload, replacesHead: hashOf(1) });
    const larger = new Uint8Array(encoded.length + 200).fill(0xff);
    larger.set(encoded, 77);
    const decoded = decodeCommand(larger.subarray(77, 77 + encoded.length));
    expect(decoded.payload.ref).toEqual(refOf(258));
    expect(decoded.payload.ssz.equals(payload.ssz)).toBe(true);
    expect(decoded.replacesHead).toBe(hashOf(1));
  });

  it('does not copy the payload', () => {
    const encoded = encodeCommand({ payload, replacesHead: undefined });
    expect(decodeCommand(encoded).payload.ssz.buffer).toBe(encoded.buffer);
  });

  it('is written before the payload if there is room, once', () => {
    const room = Buffer.alloc(64 + payload.ssz.length);
    payload.ssz.copy(room, 64);
    const roomy = { ...payload, ssz: room.subarray(64), headroomBytes: 64 };
    const first = encodeCommand({ payload: roomy, replacesHead: hashOf(1) });
    const second = encodeCommand({ payload: roomy, replacesHead: undefined });
    expect(first.buffer).toBe(room.buffer);
    expect(second.buffer).not.toBe(room.buffer);
    expect(first.equals(encodeCommand({ payload, replacesHead: hashOf(1) }))).toBe(true);
    expect(second.equals(encodeCommand({ payload, replacesHead: undefined }))).toBe(true);
    const tight = { ...payload, ssz: room.subarray(64), headroomBytes: 33 };
    expect(encodeCommand({ payload: tight, replacesHead: hashOf(1) }).buffer).not.toBe(room.buffer);
  });

  it('refuses every type and version that it does not know, and says what to do', () => {
    const known = new Set(['1/1', '2/1']);
    const byte = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(byte, byte, (type, version) => {
        fc.pre(!known.has(`${type}/${version}`));
        const data = encodeCommand({ payload, replacesHead: undefined });
        data[0] = type;
        data[1] = version;
        expect(() => decodeCommand(data)).toThrow(
          `The log has a command of type ${type}, version ${version}. A newer release wrote this`,
        );
      }),
    );
  });

  it('does not make a block of a truncated entry', () => {
    const data = encodeCommand({ payload, replacesHead: hashOf(1) });
    for (const length of [0, 1, 2, 33, 34, 300]) {
      expect(() => decodeCommand(data.subarray(0, length))).toThrow();
    }
  });
});

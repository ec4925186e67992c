import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hashOf, payloadOf, recordOf, refOf } from '../testing/chain.js';
import { decodeChainCommand, decodeCommand, encodeCommand, type BlockCommand } from './log-command.js';
import type { ResetRequest } from './reset.js';

function decodeBlock(data: Uint8Array): BlockCommand {
  const command = decodeChainCommand(data);
  if (command.reset) throw new Error('it is a reset');
  return command;
}

const reset: ResetRequest = {
  from: { number: 260, hash: hashOf(260) },
  to: { number: 7, hash: hashOf(7) },
  evidence: 'operator',
  who: 'alice@bastion: “wrong chain”',
};

const payload = payloadOf(refOf(258));

describe('log command', () => {
  it.each([
    ['a block', undefined],
    ['a block that replaces a head', hashOf(260, 'b')],
  ])('round trip of %s', (_, replacesHead) => {
    const decoded = decodeBlock(encodeCommand({ payload, replacesHead }));
    expect(decoded.replacesHead).toBe(replacesHead);
    expect(decoded.payload.ref).toEqual(refOf(258));
    expect(decoded.payload.ssz.equals(payload.ssz)).toBe(true);
  });

  it('round trip of a reset, in JSON after type and version', () => {
    const encoded = encodeCommand({ reset });
    expect([...encoded.subarray(0, 2)]).toEqual([3, 1]);
    expect(JSON.parse(encoded.subarray(2).toString())).toEqual(reset);
    expect(decodeCommand(encoded)).toEqual({ reset });
  });

  it.each<[string, unknown]>([
    ['no JSON', undefined],
    ['an evidence that is not known', { ...reset, evidence: 'stars' }],
    ['no head to come from', { ...reset, from: undefined }],
    ['an invalid hash', { ...reset, to: { number: 7, hash: '0x7' } }],
  ])('refuses a reset with %s: a newer release wrote it', (_, body) => {
    const data = Buffer.concat([Buffer.from([3, 1]), Buffer.from(JSON.stringify(body) ?? 'x')]);
    expect(() => decodeCommand(data)).toThrow('type 3, version 1. A newer release wrote this');
  });

  it('round trip of a record, in JSON behind type and version', () => {
    const change = { type: 'pause', member: null, untilMs: 7 } as const;
    const record = recordOf('r1', { change, details: { missing: ['b'], slots: 3 } });
    const encoded = encodeCommand({ record });
    expect([...encoded.subarray(0, 2)]).toEqual([4, 1]);
    expect(JSON.parse(encoded.subarray(2).toString())).toEqual(record);
    expect(decodeCommand(encoded)).toEqual({ record });
  });

  it.each<[string, unknown]>([
    ['a change that is not known', recordOf('r1', { change: { type: 'explode' } as never })],
    ['a member that is not known', { ...recordOf('r1'), colour: 'red' }],
    ['no id', { ...recordOf('r1'), id: undefined }],
    ['more than a record may have', recordOf('r1', { details: { text: 'x'.repeat(9000) } })],
  ])('refuses a record with %s: a newer release wrote it', (_, body) => {
    const data = Buffer.concat([Buffer.from([4, 1]), Buffer.from(JSON.stringify(body))]);
    expect(() => decodeCommand(data)).toThrow('type 4, version 1. A newer release wrote this');
  });

  it('takes kinds of records that are not known: they are for readers', () => {
    const record = recordOf('r1', { kind: 'weather', what: 'rain', result: 'wet' });
    expect(decodeCommand(encodeCommand({ record }))).toEqual({ record });
  });

  it('is no head when it is a record', () => {
    expect(() => decodeChainCommand(encodeCommand({ record: recordOf('r1') }))).toThrow(
      'A record stands where a block or a reset belongs',
    );
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
    const decoded = decodeBlock(larger.subarray(77, 77 + encoded.length));
    expect(decoded.payload.ref).toEqual(refOf(258));
    expect(decoded.payload.ssz.equals(payload.ssz)).toBe(true);
    expect(decoded.replacesHead).toBe(hashOf(1));
  });

  it('does not copy the payload', () => {
    const encoded = encodeCommand({ payload, replacesHead: undefined });
    expect(decodeBlock(encoded).payload.ssz.buffer).toBe(encoded.buffer);
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
    const known = new Set(['1/1', '2/1', '3/1', '4/1']);
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

  it('does not make a block from a truncated entry', () => {
    const data = encodeCommand({ payload, replacesHead: hashOf(1) });
    for (const length of [0, 1, 2, 33, 34, 300]) {
      expect(() => decodeCommand(data.subarray(0, length))).toThrow();
    }
  });
});

import { crc32 as crc } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Message } from '../core/messages.js';
import { heartbeat } from '../core/testing/core-harness.js';
import { FrameError, type FrameErrorCode } from './errors.js';
import { decodeFrame, encodeFrame, type Frame } from './frame.js';
import { WIRE_VERSIONS } from './wire-versions.js';
import {
  DATA_LENGTH_AT,
  FIELDS_LENGTH_AT,
  arbitraryFrame,
  bigAppend,
  layoutOf,
  messageTypes,
  reseal,
  toBytes,
} from './testing/arbitrary-frames.js';

const ADDRESS = {
  clusterId: 'c0'.repeat(16),
  from: 'n1',
  fromIncarnation: 'a1'.repeat(16),
  bootId: 'b1'.repeat(16),
  to: 'n2',
  toIncarnation: 'a2'.repeat(16),
};
const frameOf = (message: Message): Frame => ({ ...ADDRESS, message });
const HEARTBEAT: Message = heartbeat(3, { requestId: 9, round: 4, commit: 2, rank: 1 });

const anyFrame = fc.constantFrom(...messageTypes).chain(arbitraryFrame);

/** The code of the FrameError; any other error, or none, fails the test. */
function refusalOf(bytes: Buffer): FrameErrorCode {
  try {
    decodeFrame(bytes);
  } catch (error) {
    if (error instanceof FrameError) return error.code;
    throw error;
  }
  throw new Error('decoded');
}

/** Bytes with one place changed. */
function changed(bytes: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(value, at);
  return copy;
}

describe('a frame', () => {
  it.each(messageTypes)('brings %s back as it was', (type) => {
    fc.assert(
      fc.property(arbitraryFrame(type), (frame) => expect(decodeFrame(toBytes(frame))).toEqual(frame)),
      { numRuns: 60 },
    );
  });

  it('rounds a remaining time up, so that nobody asks too early', () => {
    const message: Message = {
      type: 'voteResponse',
      term: 1,
      requestId: 1,
      granted: false,
      remainingMs: 1.2,
    };
    expect(decodeFrame(toBytes(frameOf(message))).message).toMatchObject({ remainingMs: 2 });
  });

  it('shares the data with the message, on both sides', () => {
    const message = bigAppend(2_000_000);
    const [head, ...data] = encodeFrame(frameOf(message));
    expect(data).toHaveLength(1);
    expect(data[0]).toBe(message.entries[0]?.data);
    expect(head?.length).toBeLessThan(300);

    const bytes = toBytes(frameOf(message));
    const before = process.memoryUsage().arrayBuffers;
    const decoded = decodeFrame(bytes).message as typeof message;
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100_000);
    expect(decoded.entries[0]?.data?.buffer).toBe(bytes.buffer);
  });

  it('leaves out only the data of commands that already went in pieces', () => {
    const append = bigAppend(10);
    const bare = { ...append, entries: append.entries.map((entry) => ({ ...entry, data: undefined })) };
    expect(decodeFrame(toBytes(frameOf(bare))).message).toEqual(bare);
    const configs = bare.entries.map((entry) => ({ ...entry, kind: 'config' as const }));
    expect(() => decodeFrame(toBytes(frameOf({ ...bare, entries: configs })))).toThrow('comes in pieces');
    // The previous release takes no pieces.
    expect(() => encodeFrame(frameOf(bare), 4)).toThrow('entries lack their data');
    expect(decodeFrame(Buffer.concat(encodeFrame(frameOf(append), 4))).message).toEqual(append);
  });
});

describe('hostile bytes', () => {
  it('are refused when they are random', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => void refusalOf(Buffer.from(bytes))),
      { numRuns: 500 },
    );
  });

  it('are refused when a frame is cut anywhere, or something follows it', () => {
    fc.assert(
      fc.property(anyFrame, fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 9 }), (frame, at, tail) => {
        const bytes = toBytes(frame);
        expect(refusalOf(bytes.subarray(0, at % bytes.length))).toBe('wrong-length');
        expect(refusalOf(Buffer.concat([bytes, tail]))).toBe('wrong-length');
      }),
    );
  });

  it.each(messageTypes)('are refused at every cut and for every wrong bit of a %s', (type) => {
    const [frame] = fc.sample(arbitraryFrame(type), { numRuns: 1, seed: 7 }) as [Frame];
    const bytes = toBytes(frame).subarray(0, 1500);
    for (let at = 0; at < bytes.length; at++) {
      refusalOf(bytes.subarray(0, at));
      for (let bit = 0; bit < 8; bit++) {
        if (bytes.length < 1500) refusalOf(changed(bytes, at, bytes.readUInt8(at) ^ (1 << bit)));
      }
    }
  });

  it('are refused when any single bit of a frame is wrong', () => {
    fc.assert(
      fc.property(anyFrame, fc.nat(), fc.nat(7), (frame, at, bit) => {
        const bytes = toBytes(frame);
        const place = at % bytes.length;
        refusalOf(changed(bytes, place, bytes.readUInt8(place) ^ (1 << bit)));
      }),
      { numRuns: 1000 },
    );
  });

  it('bring a FrameError or a message, never another error, when their CRC is right', () => {
    const mutation = fc.tuple(fc.nat(), fc.oneof(fc.constantFrom(0, 1, 127, 128, 255), fc.nat(255)));
    fc.assert(
      fc.property(anyFrame, fc.array(mutation, { minLength: 1, maxLength: 4 }), (frame, mutations) => {
        const bytes = toBytes(frame);
        const { fieldsAt, crcAt } = layoutOf(bytes);
        for (const [at, value] of mutations) {
          if (crcAt > fieldsAt) bytes.writeUInt8(value, fieldsAt + (at % (crcAt - fieldsAt)));
        }
        try {
          decodeFrame(reseal(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(FrameError);
        }
      }),
      { numRuns: 1000 },
    );
  });

  const sound = toBytes(frameOf(HEARTBEAT));
  it.each<[string, Buffer, FrameErrorCode]>([
    ['another protocol', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'bad-magic'],
    ['nothing', Buffer.alloc(0), 'wrong-length'],
    ['a later version', changed(sound, 4, WIRE_VERSIONS.newest + 1), 'wrong-version'],
    ['an older version', changed(sound, 4, WIRE_VERSIONS.oldest - 1), 'wrong-version'],
    ['an unknown type', reseal(changed(sound, 5, 99)), 'malformed'],
    ['a term above 2^53', reseal(changed(sound, 70, 0xff)), 'malformed'],
    ['a wrong CRC', changed(sound, sound.length - 1, sound.readUInt8(sound.length - 1) ^ 1), 'bad-crc'],
  ])('that are %s have a code', (_name, bytes, code) => {
    expect(refusalOf(bytes)).toBe(code);
  });

  it('cannot announce more entries than there is room for', () => {
    const bytes = toBytes(frameOf({ ...bigAppend(0), entries: [] }));
    bytes.writeUInt32BE(0xffff_ffff, layoutOf(bytes).crcAt - 4);
    const before = process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed;
    expect(refusalOf(reseal(bytes))).toBe('wrong-length');
    expect(process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed - before).toBeLessThan(1e6);
  });

  it('cannot allocate what they announce, wherever the number is', () => {
    const before = process.memoryUsage().arrayBuffers;
    fc.assert(
      fc.property(anyFrame, fc.constantFrom(0x7fff_ffff, 0xffff_fff0, 0x0fff_ffff), (frame, announced) => {
        const sound = toBytes(frame);
        const { fieldsAt, crcAt } = layoutOf(sound);
        for (const at of [FIELDS_LENGTH_AT, DATA_LENGTH_AT]) {
          const bytes = Buffer.from(sound);
          bytes.writeUInt32BE(announced, at);
          expect(refusalOf(bytes)).toMatch(/wrong-length|bad-crc/);
        }
        for (let at = fieldsAt; at + 4 <= crcAt; at++) {
          const bytes = Buffer.from(sound);
          bytes.writeUInt32BE(announced, at);
          try {
            decodeFrame(reseal(bytes));
          } catch (error) {
            expect(error).toBeInstanceOf(FrameError);
          }
        }
      }),
      { numRuns: 40 },
    );
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64e6);
  });

  it('are refused when the data do not match the header', () => {
    const bytes = toBytes(frameOf(bigAppend(1000)));
    expect(refusalOf(changed(bytes, bytes.length - 1, bytes.readUInt8(bytes.length - 1) ^ 1))).toBe(
      'bad-crc',
    );
  });

  it.each([
    ['a member that is null', '{"members":[null]}'],
    ['a member without address', '{"members":[{"id":"n1","incarnation":"00","voter":true}]}'],
    ['no members', '{}'],
    ['no JSON', 'members'],
    ['null', 'null'],
    ['an abyss', '['.repeat(100_000)],
  ])('cannot bring a configuration with %s', (_name, text) => {
    const data = Buffer.from(text);
    const append = bigAppend(0);
    const entry = { index: 1, term: 1, kind: 'config' as const, chainHash: 0, data };
    const bytes = toBytes(
      frameOf({ ...append, entries: [{ ...entry, byteLength: data.length, crc: crc(data) }] }),
    );
    expect(refusalOf(bytes)).toBe('malformed');
  });
});

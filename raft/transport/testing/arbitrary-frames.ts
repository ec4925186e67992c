import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { encodeConfiguration, type Configuration, type Member } from '../../core/configuration.js';
import type { LoadedEntry } from '../../core/entries.js';
import type { ClusterTiming } from '../../core/timing.js';
import { encodeFrame, type Frame } from '../frame.js';
import type { WireMessage } from '../wire-message.js';

const integer = fc.oneof(fc.nat(1000), fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }));
const small = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const id = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
const hex16 = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => Buffer.from(bytes).toString('hex'));
const bytes = fc.uint8Array({ maxLength: 2000 }).map((array) => Buffer.from(array));

const member: fc.Arbitrary<Member> = fc.record({
  id,
  address: fc.string({ unit: 'grapheme' }),
  incarnation: hex16,
  voter: fc.boolean(),
});
const timing: fc.Arbitrary<ClusterTiming | undefined> = fc.option(
  fc.integer({ min: 30, max: 1e6 }).map((base) => ({
    heartbeatIntervalMs: base / 5,
    electionTimeoutMs: base,
    rankSlotMs: base / 20,
    jitterMs: base / 30,
    leaseTimeoutMs: base,
  })),
  { nil: undefined },
);
const configuration: fc.Arbitrary<Configuration> = fc
  .uniqueArray(member, { selector: (value) => value.id, maxLength: 7 })
  .chain((members) => {
    const ids = fc.subarray(members.map((each) => each.id).sort());
    const joint = fc.option(fc.record({ voters: ids, leaving: ids }), { nil: undefined });
    const sorted = members.sort((a, b) => (a.id < b.id ? -1 : 1));
    return fc.tuple(joint, timing).map(([change, times]) => ({
      members: sorted,
      ...(times ? { timing: times } : {}),
      ...(change ? { joint: change } : {}),
    }));
  });

const content = fc.oneof(
  bytes.map((data) => ({ kind: 'command' as const, data })),
  configuration.map((value) => ({ kind: 'config' as const, data: Buffer.from(encodeConfiguration(value)) })),
  fc.constant({ kind: 'noop' as const, data: Buffer.alloc(0) }),
);
const entries = fc.tuple(fc.nat(1000), fc.array(fc.tuple(content, integer, integer), { maxLength: 6 }));

const envelope = { term: integer, requestId: integer };
const vote = { ...envelope, granted: fc.boolean(), remainingMs: small };

/** Every message there is, by type, so that a new one cannot be forgotten. */
const messages: { [Type in WireMessage['type']]: fc.Arbitrary<Extract<WireMessage, { type: Type }>> } = {
  preVote: fc.record({ type: fc.constant('preVote'), ...envelope, lastIndex: integer, lastTerm: integer }),
  preVoteResponse: fc.record({ type: fc.constant('preVoteResponse'), ...vote }),
  vote: fc.record({
    type: fc.constant('vote'),
    ...envelope,
    lastIndex: integer,
    lastTerm: integer,
    transferNumber: integer,
  }),
  voteResponse: fc.record({ type: fc.constant('voteResponse'), ...vote }),
  append: fc
    .record({
      type: fc.constant('append' as const),
      ...envelope,
      prevTerm: integer,
      prevHash: integer,
      commit: integer,
      log: entries,
    })
    .map(({ log: [prevIndex, list], ...rest }) => ({
      ...rest,
      prevIndex,
      entries: list.map(([{ kind, data }, term, chainHash], offset): LoadedEntry => {
        const index = prevIndex + 1 + offset;
        return { index, term, kind, byteLength: data.length, crc: crc32(data), chainHash, data };
      }),
    })),
  appendResponse: fc.record({
    type: fc.constant('appendResponse'),
    ...envelope,
    success: fc.boolean(),
    matchIndex: integer,
    conflictIndex: integer,
    conflictTerm: integer,
  }),
  heartbeat: fc.record({
    type: fc.constant('heartbeat'),
    ...envelope,
    round: integer,
    commit: integer,
    electionTimeoutMs: small,
    acknowledged: integer,
    logHash: fc.option(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), { nil: undefined }),
    transfersEnded: integer,
    rank: small,
  }),
  heartbeatResponse: fc.record({
    type: fc.constant('heartbeatResponse'),
    ...envelope,
    round: integer,
    lastIndex: integer,
    eligibility: small,
    priority: small,
    reverted: fc.boolean(),
  }),
  snapshot: fc.record({
    type: fc.constant('snapshot'),
    ...envelope,
    snapshot: fc.record({
      index: integer,
      term: integer,
      chainHash: integer,
      configuration: fc.record({ index: integer, configuration }),
      data: fc.constant(undefined),
    }),
  }),
  snapshotChunk: fc.record({
    type: fc.constant('snapshotChunk'),
    ...envelope,
    snapshot: fc.record({
      index: integer,
      term: integer,
      chainHash: integer,
      byteLength: integer,
      crc: small,
    }),
    offset: integer,
    data: bytes,
  }),
  snapshotChunkResponse: fc.record({
    type: fc.constant('snapshotChunkResponse'),
    ...envelope,
    received: integer,
  }),
  entryChunk: fc.record({
    type: fc.constant('entryChunk'),
    ...envelope,
    entry: fc.record({ index: integer, term: integer, chainHash: integer, byteLength: small, crc: small }),
    offset: integer,
    data: bytes,
  }),
  entryChunkResponse: fc.record({
    type: fc.constant('entryChunkResponse'),
    ...envelope,
    received: integer,
  }),
  snapshotResponse: fc.record({ type: fc.constant('snapshotResponse'), ...envelope, matchIndex: integer }),
  timeoutNow: fc.record({
    type: fc.constant('timeoutNow'),
    ...envelope,
    transferNumber: integer,
    lastIndex: integer,
    lastTerm: integer,
  }),
  timeoutNowResponse: fc.record({
    type: fc.constant('timeoutNowResponse'),
    ...envelope,
    accepted: fc.boolean(),
  }),
};

export const messageTypes = Object.keys(messages) as WireMessage['type'][];

export const arbitraryFrame = (type: WireMessage['type']): fc.Arbitrary<Frame> =>
  fc.record({
    clusterId: hex16,
    from: id,
    fromIncarnation: hex16,
    bootId: hex16,
    to: id,
    toIncarnation: hex16,
    message: messages[type] as fc.Arbitrary<WireMessage>,
  });

/** A frame as it arrives. */
export const toBytes = (frame: Frame): Buffer => Buffer.concat(encodeFrame(frame));

/** Where a frame announces the length of its fields, and that of its data. */
export const FIELDS_LENGTH_AT = 86;
export const DATA_LENGTH_AT = 90;
const IDS_AT = 94;

/** Where a frame's fields begin, and where its CRC lies. */
export function layoutOf(frame: Buffer): { fieldsAt: number; crcAt: number } {
  const fromEnd = IDS_AT + 1 + frame.readUInt8(IDS_AT);
  const fieldsAt = fromEnd + 1 + frame.readUInt8(fromEnd);
  return { fieldsAt, crcAt: fieldsAt + frame.readUInt32BE(FIELDS_LENGTH_AT) };
}

/** Makes a frame that was tampered with look sound. */
export function reseal(frame: Buffer): Buffer {
  const { crcAt } = layoutOf(frame);
  frame.writeUInt32BE(crc32(frame.subarray(0, crcAt)), crcAt);
  return frame;
}

/** An append of one entry with that many random bytes. */
export function bigAppend(byteLength: number, requestId = 1): Extract<WireMessage, { type: 'append' }> {
  return manyAppend(1, byteLength, requestId);
}

/** An append of this many entries, each with that many random bytes. */
export function manyAppend(
  count: number,
  byteLength: number,
  requestId = 1,
): Extract<WireMessage, { type: 'append' }> {
  const entries = Array.from({ length: count }, (_, at) => {
    const data = randomBytes(byteLength);
    return {
      index: at + 1,
      term: 1,
      kind: 'command' as const,
      byteLength,
      crc: crc32(data),
      chainHash: at + 7,
      data,
    };
  });
  return {
    type: 'append',
    term: 1,
    requestId,
    prevIndex: 0,
    prevTerm: 0,
    prevHash: 0,
    commit: 0,
    entries,
  };
}

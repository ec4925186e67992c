import { crc32 } from 'node:zlib';
import {
  decodeConfiguration,
  encodeConfiguration,
  type Configuration,
  type Member,
} from '../core/configuration.js';
import type { Entry, EntryKind } from '../core/entries.js';
import { timingProblem } from '../core/timing.js';
import { ByteReader, ByteWriter } from './byte-io.js';
import { FrameError } from './errors.js';
import type { WireMessage } from './wire-message.js';
import { CHUNKS_ENTRIES_SINCE } from './wire-versions.js';

/** On the wire since version 1; never renumber. */
const TYPE_CODES = {
  preVote: 1,
  preVoteResponse: 2,
  vote: 3,
  voteResponse: 4,
  append: 5,
  appendResponse: 6,
  heartbeat: 7,
  heartbeatResponse: 8,
  snapshot: 9,
  snapshotResponse: 10,
  timeoutNow: 11,
  timeoutNowResponse: 12,
  snapshotChunk: 13,
  snapshotChunkResponse: 14,
  entryChunk: 15,
  entryChunkResponse: 16,
} as const satisfies Record<WireMessage['type'], number>;

const TYPES = new Map<number, WireMessage['type']>(
  Object.entries(TYPE_CODES).map(([type, code]) => [code, type as WireMessage['type']]),
);

const KIND_CODES = { noop: 1, config: 2, command: 3 } as const satisfies Record<EntryKind, number>;
const KINDS = new Map<number, EntryKind>(
  Object.entries(KIND_CODES).map(([kind, code]) => [code, kind as EntryKind]),
);

const ENTRY_HEADER_BYTES = 33;

/** Set beside the kind of an entry whose data already went in pieces. */
const SENT_BEFORE = 0x80;

export const typeCode = (message: WireMessage): number => TYPE_CODES[message.type];

/** A message as fields, covered by the frame's CRC, and its data, which have CRCs of their own among the fields. */
export interface EncodedMessage {
  fields: Buffer;
  data: Uint8Array[];
}

/** @param version wire version that the receiver speaks */
export function encodeMessage(message: WireMessage, version: number): EncodedMessage {
  const w = new ByteWriter();
  const data = encodeFields(message, w, version >= CHUNKS_ENTRIES_SINCE);
  return { fields: w.done(), data };
}

/** Writes the fields and returns the data. */
function encodeFields(message: WireMessage, w: ByteWriter, chunksEntries: boolean): Uint8Array[] {
  switch (message.type) {
    case 'preVote':
      w.u53(message.lastIndex).u53(message.lastTerm);
      return [];
    case 'vote':
      w.u53(message.lastIndex).u53(message.lastTerm).u53(message.transferNumber);
      return [];
    case 'preVoteResponse':
    case 'voteResponse':
      w.bool(message.granted).u32(Math.ceil(message.remainingMs));
      return [];
    case 'append':
      w.u53(message.prevIndex).u53(message.prevTerm).u53(message.prevHash).u53(message.commit);
      w.u32(message.entries.length);
      for (const entry of message.entries) encodeEntryHeader(entry, w);
      if (!chunksEntries && message.entries.some(({ data }) => !data)) {
        throw new Error('entries lack their data, and the peer accepts none in pieces');
      }
      return message.entries.flatMap(({ data }) => data ?? []);
    case 'appendResponse':
      w.bool(message.success).u53(message.matchIndex);
      w.u53(message.conflictIndex).u53(message.conflictTerm);
      return [];
    case 'heartbeat':
      w.u53(message.round)
        .u53(message.commit)
        .u32(Math.ceil(message.electionTimeoutMs))
        .u53(message.acknowledged)
        .u53(message.transfersEnded)
        .u32(message.rank);
      // A hash of 0 says nothing: it belongs to the empty log, where there is nothing to compare.
      w.u53(message.logHash ?? 0);
      return [];
    case 'heartbeatResponse':
      w.u53(message.round).u53(message.lastIndex);
      w.u32(message.eligibility).u32(message.priority).bool(message.reverted);
      return [];
    case 'snapshot': {
      // Its data already went in chunks.
      const { index, term, chainHash, configuration } = message.snapshot;
      const members = encodeConfiguration(configuration.configuration);
      w.u53(index).u53(term).u53(chainHash).u53(configuration.index);
      w.u32(members.length).bytes(members);
      return [];
    }
    case 'snapshotChunk': {
      const { snapshot, offset, data } = message;
      w.u53(snapshot.index).u53(snapshot.term).u53(snapshot.chainHash);
      w.u53(snapshot.byteLength).u32(snapshot.crc);
      w.u53(offset).u32(data.length).u32(crc32(data));
      return [data];
    }
    case 'entryChunk': {
      const { entry, offset, data } = message;
      w.u53(entry.index).u53(entry.term).u53(entry.chainHash);
      w.u32(entry.byteLength).u32(entry.crc);
      w.u53(offset).u32(data.length).u32(crc32(data));
      return [data];
    }
    case 'snapshotChunkResponse':
    case 'entryChunkResponse':
      w.u53(message.received);
      return [];
    case 'snapshotResponse':
      w.u53(message.matchIndex);
      return [];
    case 'timeoutNow':
      w.u53(message.lastIndex).u53(message.lastTerm).u53(message.transferNumber);
      return [];
    case 'timeoutNowResponse':
      w.bool(message.accepted);
      return [];
  }
}

function encodeEntryHeader(entry: Entry, w: ByteWriter): void {
  w.u53(entry.index).u53(entry.term);
  w.u8(KIND_CODES[entry.kind] | (entry.data ? 0 : SENT_BEFORE));
  w.u32(entry.byteLength).u32(entry.crc).u53(entry.chainHash);
}

/** What every message has. */
interface Envelope {
  term: number;
  requestId: number;
}

/** @throws FrameError */
export function decodeMessage(
  code: number,
  envelope: Envelope,
  fields: Buffer,
  data: Buffer,
  version: number,
): WireMessage {
  const type = TYPES.get(code);
  if (!type) throw new FrameError('malformed', `message type ${code} is unknown`);
  const r = new ByteReader(fields);
  const d = new ByteReader(data);
  const message = decodeFields(type, envelope, r, d, version >= CHUNKS_ENTRIES_SINCE);
  r.end();
  d.end();
  return message;
}

function decodeFields(
  type: WireMessage['type'],
  base: Envelope,
  r: ByteReader,
  data: ByteReader,
  chunksEntries: boolean,
): WireMessage {
  switch (type) {
    case 'preVote':
      return { type, ...base, lastIndex: r.u53(), lastTerm: r.u53() };
    case 'vote':
      return { type, ...base, lastIndex: r.u53(), lastTerm: r.u53(), transferNumber: r.u53() };
    case 'preVoteResponse':
    case 'voteResponse':
      return { type, ...base, granted: r.bool(), remainingMs: r.u32() };
    case 'append': {
      const head = { prevIndex: r.u53(), prevTerm: r.u53(), prevHash: r.u53(), commit: r.u53() };
      const count = r.u32();
      if (count * ENTRY_HEADER_BYTES > r.remaining) {
        throw new FrameError('wrong-length', `${count} entries in ${r.remaining} bytes`);
      }
      const entries = Array.from({ length: count }, (_, offset) =>
        decodeEntry(r, data, head.prevIndex + 1 + offset, chunksEntries),
      );
      return { type, ...base, ...head, entries };
    }
    case 'appendResponse':
      return {
        type,
        ...base,
        success: r.bool(),
        matchIndex: r.u53(),
        conflictIndex: r.u53(),
        conflictTerm: r.u53(),
      };
    case 'heartbeat':
      return {
        type,
        ...base,
        round: r.u53(),
        commit: r.u53(),
        electionTimeoutMs: r.u32(),
        acknowledged: r.u53(),
        transfersEnded: r.u53(),
        rank: r.u32(),
        logHash: r.u53() || undefined,
      };
    case 'heartbeatResponse':
      return {
        type,
        ...base,
        round: r.u53(),
        lastIndex: r.u53(),
        eligibility: r.u32(),
        priority: r.u32(),
        reverted: r.bool(),
      };
    case 'snapshot': {
      const meta = { index: r.u53(), term: r.u53(), chainHash: r.u53() };
      const configurationIndex = r.u53();
      const configuration = { index: configurationIndex, configuration: decodeMembers(r.bytes(r.u32())) };
      return { type, ...base, snapshot: { ...meta, configuration, data: undefined } };
    }
    case 'snapshotChunk': {
      const id = { index: r.u53(), term: r.u53(), chainHash: r.u53(), byteLength: r.u53(), crc: r.u32() };
      const offset = r.u53();
      return { type, ...base, snapshot: id, offset, data: checked(data.bytes(r.u32()), r.u32()) };
    }
    case 'entryChunk': {
      const entry = { index: r.u53(), term: r.u53(), chainHash: r.u53(), byteLength: r.u32(), crc: r.u32() };
      const offset = r.u53();
      return { type, ...base, entry, offset, data: checked(data.bytes(r.u32()), r.u32()) };
    }
    case 'snapshotChunkResponse':
    case 'entryChunkResponse':
      return { type, ...base, received: r.u53() };
    case 'snapshotResponse':
      return { type, ...base, matchIndex: r.u53() };
    case 'timeoutNow':
      return { type, ...base, lastIndex: r.u53(), lastTerm: r.u53(), transferNumber: r.u53() };
    case 'timeoutNowResponse':
      return { type, ...base, accepted: r.bool() };
  }
}

function decodeEntry(r: ByteReader, bytes: ByteReader, expectedIndex: number, chunksEntries: boolean): Entry {
  const index = r.u53();
  if (index !== expectedIndex)
    throw new FrameError('malformed', `entry ${index} instead of ${expectedIndex}`);
  const term = r.u53();
  const code = r.u8();
  const wasSentBefore = chunksEntries && (code & SENT_BEFORE) !== 0;
  const kind = KINDS.get(wasSentBefore ? code ^ SENT_BEFORE : code);
  if (!kind) throw new FrameError('malformed', `entry ${index} has an unknown kind`);
  const byteLength = r.u32();
  const crc = r.u32();
  const chainHash = r.u53();
  const header = { index, term, kind, byteLength, crc, chainHash };
  if (wasSentBefore) {
    if (kind === 'command') return { ...header, data: undefined };
    throw new FrameError('malformed', `entry ${index} of kind ${kind} comes in pieces`);
  }
  const data = checked(bytes.bytes(byteLength), crc);
  // The core reads its members, and trusts that one of our nodes wrote them.
  if (kind === 'config') decodeMembers(data);
  return { ...header, data };
}

function checked(data: Buffer, crc: number): Buffer {
  if (crc32(data) !== crc)
    throw new FrameError('bad-crc', `the CRC of ${data.length} bytes of data is wrong`);
  return data;
}

function decodeMembers(bytes: Buffer): Configuration {
  let configuration: Configuration;
  try {
    configuration = decodeConfiguration(bytes);
  } catch (error) {
    throw new FrameError('malformed', `unreadable configuration: ${(error as Error).message}`);
  }
  const { members, timing, joint } = configuration;
  if (!members.every(isMember)) throw new FrameError('malformed', 'configuration with an invalid member');
  if (timing !== undefined && timingProblem(timing) !== undefined) {
    throw new FrameError('malformed', 'configuration with invalid timing');
  }
  if (joint !== undefined && ![joint.voters, joint.leaving].every(isListOfIds)) {
    throw new FrameError('malformed', 'invalid joint configuration');
  }
  return configuration;
}

const isListOfIds = (value: unknown): boolean =>
  Array.isArray(value) && value.every((id) => typeof id === 'string');

function isMember(value: unknown): value is Member {
  const member = (value ?? {}) as Partial<Record<keyof Member, unknown>>;
  const texts = [member.id, member.address, member.incarnation];
  return texts.every((text) => typeof text === 'string') && typeof member.voter === 'boolean';
}

import { createHash } from 'node:crypto';
import { pino } from 'pino';
import type { LoadedEntry, Snapshot } from '../../raft/index.js';
import { decodeEnvelope } from '../../rpc/payload/decode-envelope.js';
import type { BlockId, BlockRef } from '../../rpc/payload/block-ref.js';
import type { UnsafePayload } from '../../rpc/payload/unsafe-payload.js';
import { sampleEnvelope } from '../../rpc/server/testing/sample-envelope.js';
import type { CommittedBlock } from '../chain/chain-state.js';
import { encodeCommand } from '../chain/log-command.js';
import type { ClusterRecord } from '../chain/record.js';
import type { ResetRequest } from '../chain/reset.js';

export const silent = pino({ level: 'silent' });

/** Hash of the block of this height on this branch. */
export function hashOf(number: number, branch = 'a'): string {
  return `0x${createHash('sha256').update(`${branch} ${number}`).digest('hex')}`;
}

/** The block of this height on this branch; its parent is of the same branch unless given. */
export function refOf(number: number, branch = 'a', parentHash = hashOf(number - 1, branch)): BlockRef {
  return { number, hash: hashOf(number, branch), parentHash, timestamp: 1_000_000 + 2 * number };
}

export function committed(ref: BlockRef, logIndex = ref.number): CommittedBlock {
  return { ...ref, logIndex, byteLength: 1000 };
}

/** Committed blocks of one branch, each at the log index of its height. */
export function chainOf(from: number, to: number, branch = 'a'): CommittedBlock[] {
  const blocks: CommittedBlock[] = [];
  for (let number = from; number <= to; number++) blocks.push(committed(refOf(number, branch)));
  return blocks;
}

/** A payload with this identity; its hash is not that of its content, which nothing in this folder checks. */
export function payloadOf(ref: BlockRef): UnsafePayload {
  return decodeEnvelope(
    sampleEnvelope({
      blockNumber: `0x${ref.number.toString(16)}`,
      blockHash: ref.hash,
      parentHash: ref.parentHash,
      timestamp: `0x${ref.timestamp.toString(16)}`,
    }),
  );
}

/** The log entry with this block, as replacement of the head `replacesHead` when given. */
export function entryOf(index: number, ref: BlockRef, replacesHead?: string): LoadedEntry {
  return entryWith(index, encodeCommand({ payload: payloadOf(ref), replacesHead }));
}

/** The log entry with this reset. */
export function resetEntryOf(index: number, from: BlockId, to: BlockId): LoadedEntry {
  return entryWith(index, encodeCommand({ reset: resetOf(from, to) }));
}

/** A record with this id, for a test to change. */
export function recordOf(id: string, changes: Partial<ClusterRecord> = {}): ClusterRecord {
  const ofTest = { atMs: 1_700_000_000_000, node: 'a', kind: 'operation', what: 'test', result: 'done' };
  return { id, ...ofTest, who: { owner: 'a test' }, details: {}, ...changes };
}

/** The log entry with this record. */
export function recordEntryOf(index: number, record: ClusterRecord): LoadedEntry {
  return entryWith(index, encodeCommand({ record }));
}

export function resetOf(from: BlockId, to: BlockId): ResetRequest {
  const id = ({ number, hash }: BlockId): BlockId => ({ number, hash });
  return { from: id(from), to: id(to), evidence: 'operator', who: 'a test' };
}

function entryWith(index: number, data: Buffer): LoadedEntry {
  return { index, term: 1, kind: 'command', byteLength: data.length, crc: 0, chainHash: 0, data };
}

export function snapshotOf(index: number, data: Uint8Array): Snapshot {
  const configuration = { index: 1, configuration: { members: [] } };
  return { index, term: 1, chainHash: 0, configuration, data };
}

import type { Snapshot, SnapshotMeta } from '../core/stored-state.js';

/** A snapshot is stored and sent in pieces of this size, so that none delays a heartbeat for long. */
export const SNAPSHOT_CHUNK_BYTES = 256 * 1024;
/** Larger snapshots of peers are refused. */
export const RECEIVED_SNAPSHOT_BYTES_MAX = 256 * 1024 * 1024;

/** Which snapshot a chunk belongs to. Equal ids mean equal bytes from any sender. */
export interface SnapshotId {
  index: number;
  term: number;
  chainHash: number;
  /** Length and CRC-32 of all its data. */
  byteLength: number;
  crc: number;
}

/** Record of a stored snapshot. Its data is in separate chunks. */
export interface StoredSnapshot extends SnapshotMeta {
  byteLength: number;
  crc: number;
  /** CRC-32 of each chunk. */
  chunkCrcs: number[];
}

/** The stored snapshot, to be read piece by piece. */
export interface SnapshotSource {
  id: SnapshotId;
  /**
   * The data from `offset` on: at most a chunk, checked.
   *
   * @throws StorageError `not-in-log` once another snapshot has replaced it
   */
  read: (offset: number) => Promise<Uint8Array>;
}

export function isSameSnapshot(a: SnapshotId, b: SnapshotId): boolean {
  return isSnapshotOf(a, b) && a.byteLength === b.byteLength && a.crc === b.crc;
}

/** Whether a chunk belongs to the snapshot of a message. */
export function isSnapshotOf(
  id: SnapshotId,
  { index, term, chainHash }: Pick<SnapshotMeta, 'index' | 'term' | 'chainHash'>,
): boolean {
  return id.index === index && id.term === term && id.chainHash === chainHash;
}

/** A snapshot in memory as a source. */
export function sourceOf(snapshot: Snapshot, crc: number): SnapshotSource {
  const { index, term, chainHash, data } = snapshot;
  return {
    id: { index, term, chainHash, byteLength: data.length, crc },
    read: async (offset) => data.subarray(offset, offset + SNAPSHOT_CHUNK_BYTES),
  };
}

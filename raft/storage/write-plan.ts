import { crc32 } from 'node:zlib';
import type { Persist } from '../core/outputs.js';
import type { Snapshot } from '../core/stored-state.js';
import { checkWrite } from './checks.js';
import { MANIFEST_KEY, dataKey, headerKey, snapshotChunkKey, snapshotMetaKey } from './keys.js';
import type { LogPosition, Manifest } from './manifest.js';
import { positionOf } from './manifest.js';
import { encodeHeader, seal } from './records.js';
import { SNAPSHOT_CHUNK_BYTES, type StoredSnapshot } from './snapshot-stream.js';

/**
 * One batch deletes the records of at most this many purged entries (two keys each), so that compaction causes no stall.
 */
const PURGED_PER_WRITE = 500;

/** What the database holds. */
export interface LogState {
  manifest: Manifest;
  snapshot: StoredSnapshot | null;
  /** Purged entries whose records still exist; none when `from` is above `to`. */
  leftovers: { from: number; to: number };
}

export type Operation =
  { type: 'put'; key: Buffer; value: Buffer } | { type: 'del'; key: Buffer; value?: never };

export interface WritePlan {
  operations: Operation[];
  next: LogState;
}

/**
 * The single batch that takes the database from `state` to what `persist` requests.
 *
 * Everything that counts changes in this batch. Only records of purged entries may remain for later batches: they are
 * below the manifest's base, where nothing reads them.
 *
 * @param before the position that the first appended entry follows
 */
export function planWrite(state: LogState, persist: Persist, before: LogPosition): WritePlan {
  const { manifest } = state;
  const { snapshot } = persist;
  const last = checkWrite(persist, manifest, before);
  const base = snapshot === undefined ? manifest.base : positionOf(snapshot);
  const leftovers = leftoversBelow(base, state);
  const purgeTo = Math.min(leftovers.to, leftovers.from + PURGED_PER_WRITE - 1);
  const next: LogState = {
    manifest: { writeSeq: manifest.writeSeq + 1, hardState: persist.hardState, base, last },
    snapshot: snapshot === undefined ? state.snapshot : snapshotRecord(snapshot),
    leftovers: { from: purgeTo + 1, to: leftovers.to },
  };
  const operations: Operation[] = [
    ...deletions(last.index + 1, manifest.last.index),
    ...deletions(leftovers.from, purgeTo),
    ...appends(persist, base.index),
    ...(snapshot === undefined ? [] : snapshotReplacement(state.snapshot, snapshot)),
    { type: 'put', key: MANIFEST_KEY, value: seal(next.manifest) },
  ];
  return { operations, next };
}

function leftoversBelow(base: LogPosition, { manifest, leftovers }: LogState): LogState['leftovers'] {
  if (base.index === manifest.base.index) return leftovers;
  const from = leftovers.from <= leftovers.to ? leftovers.from : manifest.base.index + 1;
  return { from, to: Math.min(base.index, manifest.last.index) };
}

/** Deletes the records of the entries `from`…`to`. */
export function deletions(from: number, to: number): Operation[] {
  const operations: Operation[] = [];
  for (let index = from; index <= to; index++) {
    operations.push({ type: 'del', key: headerKey(index) }, { type: 'del', key: dataKey(index) });
  }
  return operations;
}

function appends(persist: Persist, baseIndex: number): Operation[] {
  return persist.entries
    .filter(({ index }) => index > baseIndex)
    .flatMap((entry) => [
      { type: 'put', key: headerKey(entry.index), value: encodeHeader(entry) },
      { type: 'put', key: dataKey(entry.index), value: asBuffer(entry.data) },
    ]);
}

function snapshotRecord({ data, index, term, chainHash, configuration }: Snapshot): StoredSnapshot {
  const chunkCrcs = chunksOf(data).map((chunk) => crc32(chunk));
  return { index, term, chainHash, configuration, byteLength: data.length, crc: crc32(data), chunkCrcs };
}

function snapshotReplacement(old: StoredSnapshot | null, snapshot: Snapshot): Operation[] {
  const { index } = snapshot;
  const record = snapshotRecord(snapshot);
  const operations: Operation[] = [];
  if (old !== null) {
    operations.push({ type: 'del', key: snapshotMetaKey(old.index) });
    for (const chunk of old.chunkCrcs.keys()) {
      operations.push({ type: 'del', key: snapshotChunkKey(old.index, chunk) });
    }
  }
  for (const [chunk, data] of chunksOf(snapshot.data).entries()) {
    operations.push({ type: 'put', key: snapshotChunkKey(index, chunk), value: asBuffer(data) });
  }
  operations.push({ type: 'put', key: snapshotMetaKey(index), value: seal(record) });
  return operations;
}

function chunksOf(data: Uint8Array): Uint8Array[] {
  return Array.from({ length: Math.ceil(data.length / SNAPSHOT_CHUNK_BYTES) }, (_, chunk) =>
    data.subarray(chunk * SNAPSHOT_CHUNK_BYTES, (chunk + 1) * SNAPSHOT_CHUNK_BYTES),
  );
}

function asBuffer(data: Uint8Array): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

import { crc32 } from 'node:zlib';
import type { EntryHeader, LoadedEntry } from '../core/entries.js';
import type { Snapshot } from '../core/stored-state.js';
import type { Database, DatabaseSnapshot } from './database.js';
import { StorageError } from './errors.js';
import {
  ALL_HEADERS,
  MANIFEST_KEY,
  dataKey,
  headerKey,
  indexOfKey,
  snapshotChunkKey,
  snapshotMetaKey,
} from './keys.js';
import { SNAPSHOT_CHUNK_BYTES, type SnapshotSource, type StoredSnapshot } from './snapshot-stream.js';
import { decodeHeader, unseal } from './records.js';
import type { Manifest } from './manifest.js';
import { schemas } from './schemas.js';
import { checkRange, missingEntry, withData } from './checks.js';

const HEADERS_PER_READ = 256;

/** All headers in the database, including leftovers outside the log. */
export async function readAllHeaders(database: Database): Promise<EntryHeader[]> {
  const headers: EntryHeader[] = [];
  for await (const [key, record] of database.iterator({ ...ALL_HEADERS, fillCache: false })) {
    headers.push(headerOf(indexOfKey(key), record));
  }
  return headers;
}

export async function readHeader(database: Database, index: number): Promise<EntryHeader> {
  return headerOf(index, await database.get(headerKey(index)));
}

function headerOf(index: number, record: Buffer | undefined): EntryHeader {
  if (record === undefined) throw missingEntry(index);
  const header = decodeHeader(index, record);
  if (header !== undefined) return header;
  throw new StorageError('damaged-header', `The header of entry ${index} is damaged`, { index });
}

/** The entry with that header, its data read and checked. */
export async function readEntry(database: Database, header: EntryHeader): Promise<LoadedEntry> {
  return withData(header, await database.get(dataKey(header.index), { fillCache: false }));
}

/**
 * Runs `read` on the database as it is at this moment, so that a concurrent write cannot show it half of the old log and
 * half of the new one.
 */
async function atOneMoment<T>(
  database: Database,
  read: (manifest: Manifest, snapshot: DatabaseSnapshot) => Promise<T>,
): Promise<T> {
  const snapshot = database.snapshot();
  try {
    return await read(readManifest(await database.get(MANIFEST_KEY, { snapshot })), snapshot);
  } finally {
    await snapshot.close();
  }
}

export function readManifest(record: Buffer | undefined): Manifest {
  const manifest = unseal(record, schemas.manifest);
  if (manifest !== undefined) return manifest;
  throw new StorageError('damaged-manifest', 'The manifest is missing or damaged');
}

/** Entries from `from` to `to`; ends early where `maxBytes` would be exceeded, but never before the first. */
export function readEntries(
  database: Database,
  from: number,
  to: number,
  maxBytes: number,
): Promise<LoadedEntry[]> {
  return atOneMoment(database, async ({ base, last }, snapshot) => {
    checkRange(from, to, base.index + 1, last.index);
    const headers: EntryHeader[] = [];
    let bytes = 0;
    for await (const header of headersBetween(database, from, to, snapshot)) {
      bytes += header.byteLength;
      if (bytes > maxBytes && headers.length > 0) break;
      headers.push(header);
    }
    const data = await database.getMany(
      headers.map(({ index }) => dataKey(index)),
      { snapshot, fillCache: false },
    );
    return headers.map((header, i) => withData(header, data[i]));
  });
}

async function* headersBetween(
  database: Database,
  from: number,
  to: number,
  snapshot: DatabaseSnapshot,
): AsyncGenerator<EntryHeader> {
  for (let next = from; next <= to; next += HEADERS_PER_READ) {
    const count = Math.min(HEADERS_PER_READ, to - next + 1);
    const keys = Array.from({ length: count }, (_, i) => headerKey(next + i));
    const records = await database.getMany(keys, { snapshot });
    for (const [i, record] of records.entries()) yield headerOf(next + i, record);
  }
}

export async function readSnapshotRecord(
  database: Database,
  index: number,
  snapshot?: DatabaseSnapshot,
): Promise<StoredSnapshot> {
  const record = unseal(await database.get(snapshotMetaKey(index), { snapshot }), schemas.snapshot);
  if (record !== undefined) return record;
  throw new StorageError('damaged-snapshot', `The record of snapshot ${index} is missing or damaged`, {
    index,
  });
}

/** The stored snapshot with its data, checked; null when there is none. */
export function readSnapshot(database: Database): Promise<Snapshot | null> {
  return atOneMoment(database, async ({ base }, snapshot) => {
    if (base.index === 0) return null;
    const record = await readSnapshotRecord(database, base.index, snapshot);
    const { byteLength, crc, chunkCrcs, ...meta } = record;
    const chunks = [];
    for (const chunk of chunkCrcs.keys()) chunks.push(await readChunk(database, record, chunk, snapshot));
    const data = Buffer.concat(chunks);
    if (data.length === byteLength && crc32(data) === crc) return { ...meta, data };
    throw new StorageError('damaged-snapshot', `The data of snapshot ${meta.index} is damaged`, {
      index: meta.index,
      byteLength,
      foundBytes: data.length,
    });
  });
}

/** The stored snapshot, with one chunk at a time in memory; null when there is none. */
export function openSnapshot(database: Database): Promise<SnapshotSource | null> {
  return atOneMoment(database, async ({ base }, moment) => {
    if (base.index === 0) return null;
    const record = await readSnapshotRecord(database, base.index, moment);
    const { index, term, chainHash, byteLength, crc } = record;
    return {
      id: { index, term, chainHash, byteLength, crc },
      read: (offset) =>
        atOneMoment(database, (manifest, later) => readAt(database, record, offset, manifest, later)),
    };
  });
}

/** What one chunk holds from `offset` on. A peer may have got this far from a sender with other chunk sizes. */
async function readAt(
  database: Database,
  record: StoredSnapshot,
  offset: number,
  { base }: Manifest,
  snapshot: DatabaseSnapshot,
): Promise<Buffer> {
  if (base.index !== record.index) {
    throw new StorageError('not-in-log', `Snapshot ${record.index} was replaced by ${base.index}`, {
      index: record.index,
      snapshotIndex: base.index,
    });
  }
  const chunk = Math.floor(offset / SNAPSHOT_CHUNK_BYTES);
  const data = await readChunk(database, record, chunk, snapshot);
  return data.subarray(offset - chunk * SNAPSHOT_CHUNK_BYTES);
}

async function readChunk(
  database: Database,
  { index, chunkCrcs }: StoredSnapshot,
  chunk: number,
  snapshot: DatabaseSnapshot,
): Promise<Buffer> {
  const data = await database.get(snapshotChunkKey(index, chunk), { snapshot, fillCache: false });
  if (data !== undefined && crc32(data) === chunkCrcs[chunk]) return data;
  throw new StorageError('damaged-snapshot', `Chunk ${chunk} of snapshot ${index} is missing or damaged`, {
    index,
    chunk,
  });
}

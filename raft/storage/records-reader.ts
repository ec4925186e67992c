import { crc32 } from 'node:zlib';
import type { Snapshot as DatabaseSnapshot } from 'classic-level';
import type { EntryHeader, LoadedEntry, Snapshot, SnapshotMeta } from '../core/types.js';
import type { Database } from './database.js';
import { StorageError } from './errors.js';
import { ALL_HEADERS, dataKey, headerKey, indexOfKey, snapshotChunkKey, snapshotMetaKey } from './keys.js';
import { decodeHeader, unseal } from './records.js';
import { checkData } from './recovery.js';

const HEADERS_PER_READ = 256;

/** Record of a stored snapshot; its data lies in chunks beside it. */
export interface StoredSnapshot extends SnapshotMeta {
  byteLength: number;
  crc: number;
  chunks: number;
}

/** All headers in the database, also leftovers outside the log. */
export async function readAllHeaders(database: Database): Promise<EntryHeader[]> {
  const headers: EntryHeader[] = [];
  for await (const [key, record] of database.iterator({ ...ALL_HEADERS, fillCache: false })) {
    headers.push(headerOf(indexOfKey(key), record));
  }
  return headers;
}

/** Header of one entry; undefined when there is none. */
export async function readHeader(database: Database, index: number): Promise<EntryHeader | undefined> {
  const record = await database.get(headerKey(index));
  return record && headerOf(index, record);
}

function headerOf(index: number, record: Buffer): EntryHeader {
  const header = decodeHeader(index, record);
  if (header !== undefined) return header;
  throw new StorageError('damaged-header', `The header of entry ${index} is damaged`, { index });
}

/** Data of the entry with that header, checked. */
export async function readEntry(database: Database, header: EntryHeader): Promise<LoadedEntry> {
  const data = await database.get(dataKey(header.index), { fillCache: false });
  checkData(header, data);
  return { ...header, data };
}

/**
 * Entries from `from` to `to` as they were at one moment, so that a truncation meanwhile cannot mix two logs.
 * Ends early where `maxBytes` would be exceeded (never before the first) or where a header is missing.
 */
export async function readEntries(
  database: Database,
  from: number,
  to: number,
  maxBytes: number,
): Promise<LoadedEntry[]> {
  const snapshot = database.snapshot();
  try {
    const headers = await readHeaders(database, from, to, maxBytes, snapshot);
    const keys = headers.map(({ index }) => dataKey(index));
    const data = await database.getMany(keys, { snapshot, fillCache: false });
    return headers.map((header, i) => {
      const bytes = data[i];
      checkData(header, bytes);
      return { ...header, data: bytes };
    });
  } finally {
    await snapshot.close();
  }
}

async function readHeaders(
  database: Database,
  from: number,
  to: number,
  maxBytes: number,
  snapshot: DatabaseSnapshot,
): Promise<EntryHeader[]> {
  const headers: EntryHeader[] = [];
  let bytes = 0;
  for (let next = from; next <= to; next += HEADERS_PER_READ) {
    const count = Math.min(HEADERS_PER_READ, to - next + 1);
    const keys = Array.from({ length: count }, (_, i) => headerKey(next + i));
    const records = await database.getMany(keys, { snapshot });
    for (const [i, record] of records.entries()) {
      if (record === undefined) return headers;
      const header = headerOf(next + i, record);
      bytes += header.byteLength;
      if (bytes > maxBytes && headers.length > 0) return headers;
      headers.push(header);
    }
  }
  return headers;
}

export async function readSnapshotRecord(database: Database, index: number): Promise<StoredSnapshot> {
  const record = unseal<StoredSnapshot>(await database.get(snapshotMetaKey(index)));
  if (record !== undefined) return record;
  throw new StorageError('damaged-snapshot', `The record of snapshot ${index} is missing or damaged`, { index });
}

/** The snapshot with its data, checked. */
export async function readSnapshot(database: Database, record: StoredSnapshot): Promise<Snapshot> {
  const { byteLength, crc, chunks: count, ...meta } = record;
  const keys = Array.from({ length: count }, (_, chunk) => snapshotChunkKey(meta.index, chunk));
  const chunks = await database.getMany(keys, { fillCache: false });
  const data = Buffer.concat(chunks.filter((chunk) => chunk !== undefined));
  if (data.length === byteLength && crc32(data) === crc) return { ...meta, data };
  throw new StorageError('damaged-snapshot', `The data of snapshot ${meta.index} is missing or damaged`, {
    index: meta.index,
    byteLength,
    foundBytes: data.length,
  });
}

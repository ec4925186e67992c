/**
 * Keys of the database: one byte for the kind of record, then big-endian numbers, so that LevelDB sorts entries
 * by index. Configurations have no records of their own: they are the data of the entries of kind `config`.
 */
const HEADER = 3;
const DATA = 4;
const SNAPSHOT_META = 6;
const SNAPSHOT_CHUNK = 7;

export const FORMAT_KEY = Buffer.of(0);
export const IDENTITY_KEY = Buffer.of(1);
export const MANIFEST_KEY = Buffer.of(2);

function indexed(kind: number, index: number, extraBytes = 0): Buffer {
  const key = Buffer.alloc(9 + extraBytes);
  key.writeUInt8(kind, 0);
  key.writeBigUInt64BE(BigInt(index), 1);
  return key;
}

export const headerKey = (index: number): Buffer => indexed(HEADER, index);
export const dataKey = (index: number): Buffer => indexed(DATA, index);
export const snapshotMetaKey = (index: number): Buffer => indexed(SNAPSHOT_META, index);

export function snapshotChunkKey(index: number, chunk: number): Buffer {
  const key = indexed(SNAPSHOT_CHUNK, index, 4);
  key.writeUInt32BE(chunk, 9);
  return key;
}

/** Index in the key of a header or of data. */
export const indexOfKey = (key: Buffer): number => Number(key.readBigUInt64BE(1));

/** Range of all headers, with any index. */
export const ALL_HEADERS = { gte: Buffer.of(HEADER), lt: Buffer.of(HEADER + 1) };

import { crc32 } from 'node:zlib';
import type { z } from 'zod';
import type { EntryHeader, EntryKind } from '../core/entries.js';

const KINDS: readonly EntryKind[] = ['noop', 'config', 'command'];
const HEADER_BYTES = 29;

/** Header of an entry: term, kind, length and CRC of the data, chain hash, CRC of all that. The index is the key. */
export function encodeHeader(header: EntryHeader): Buffer {
  const record = Buffer.allocUnsafe(HEADER_BYTES);
  record.writeBigUInt64BE(BigInt(header.term), 0);
  record.writeUInt8(KINDS.indexOf(header.kind), 8);
  record.writeUInt32BE(header.byteLength, 9);
  record.writeUInt32BE(header.crc, 13);
  record.writeBigUInt64BE(BigInt(header.chainHash), 17);
  record.writeUInt32BE(crc32(record.subarray(0, 25)), 25);
  return record;
}

/** Undefined when the record is damaged. */
export function decodeHeader(index: number, record: Buffer): EntryHeader | undefined {
  if (record.length !== HEADER_BYTES || record.readUInt32BE(25) !== crc32(record.subarray(0, 25)))
    return undefined;
  const kind = KINDS[record.readUInt8(8)];
  const term = Number(record.readBigUInt64BE(0));
  const chainHash = Number(record.readBigUInt64BE(17));
  if (kind === undefined || !Number.isSafeInteger(term) || !Number.isSafeInteger(chainHash)) return undefined;
  return { index, term, kind, byteLength: record.readUInt32BE(9), crc: record.readUInt32BE(13), chainHash };
}

/** JSON after its CRC-32: for the few small records, which a human may want to read. */
export function seal(value: unknown): Buffer {
  const json = Buffer.from(JSON.stringify(value));
  const record = Buffer.allocUnsafe(4 + json.length);
  record.writeUInt32BE(crc32(json), 0);
  json.copy(record, 4);
  return record;
}

/** Undefined when the record is missing, damaged, or of another shape than `schema`. */
export function unseal<T>(record: Buffer | undefined, schema: z.ZodType<T>): T | undefined {
  if (record === undefined || record.length < 4) return undefined;
  const json = record.subarray(4);
  if (record.readUInt32BE(0) !== crc32(json)) return undefined;
  return schema.safeParse(parsed(json)).data;
}

function parsed(json: Buffer): unknown {
  try {
    return JSON.parse(json.toString());
  } catch {
    return undefined;
  }
}

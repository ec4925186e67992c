import { z } from 'zod';
import { StorageError } from '../../raft/index.js';
import type { RecordsState } from './cluster-records.js';
import { RECORD_FORMAT, recordSchema } from './record.js';

/**
 * A snapshot is the command that made the head, as it stands in the log; empty without a head. Once there are records, it
 * begins with them:
 *
 *   byte 0: type · byte 1: version · bytes 2 to 5: length of the JSON · JSON of the records · the command, if any
 */
const TYPE_WITH_RECORDS = 5;
const PREFIX_BYTES = 6;

/** In the order in which `ClusterRecords` makes them: equal states are equal bytes, whether restored or not. */
const { id, who } = recordSchema.shape;
const decision = z.strictObject({ id, logIndex: z.int().nonnegative(), sinceMs: z.int().nonnegative(), who });
const pause = decision.extend({ untilMs: z.int().nonnegative().nullable() });

const stateSchema: z.ZodType<RecordsState> = z.strictObject({
  journal: z.array(z.strictObject({ logIndex: z.int().nonnegative(), record: recordSchema })),
  maintenance: z.strictObject({
    cluster: pause.nullable(),
    members: z.record(z.string(), pause),
    halt: decision.nullable(),
  }),
});

/** @param head the command that made the head; empty without one */
export function encodeSnapshot(head: Uint8Array, records: RecordsState): Uint8Array {
  if (records.journal.length === 0) return head;
  const json = Buffer.from(JSON.stringify(records));
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.set([TYPE_WITH_RECORDS, RECORD_FORMAT]);
  prefix.writeUInt32BE(json.length, 2);
  return Buffer.concat([prefix, json, head]);
}

/** @throws StorageError `newer-format` for what this release does not write */
export function decodeSnapshot(data: Uint8Array): { head: Uint8Array; records: RecordsState | undefined } {
  if (data[0] !== TYPE_WITH_RECORDS) return { head: data, records: undefined };
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const version = bytes[1];
  const jsonEnd = PREFIX_BYTES + (bytes.length < PREFIX_BYTES ? 0 : bytes.readUInt32BE(2));
  const records = version === RECORD_FORMAT ? read(bytes.toString('utf8', PREFIX_BYTES, jsonEnd)) : undefined;
  if (records) return { head: bytes.subarray(jsonEnd), records };
  throw new StorageError('newer-format', `The snapshot has records of version ${version}`, {
    type: TYPE_WITH_RECORDS,
    version,
  });
}

/** Undefined for what this release does not write: snapshots have CRCs, so a newer one wrote it. */
function read(json: string): RecordsState | undefined {
  try {
    return stateSchema.safeParse(JSON.parse(json)).data;
  } catch {
    return undefined;
  }
}

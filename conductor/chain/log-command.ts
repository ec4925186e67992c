import type { z } from 'zod';
import { StorageError } from '../../raft/index.js';
import { readRef } from '../../rpc/payload/block-ref.js';
import type { UnsafePayload } from '../../rpc/payload/unsafe-payload.js';
import { RECORD_BYTES_MAX, recordSchema, type ClusterRecord } from './record.js';
import { resetSchema, type ResetRequest } from './reset.js';

/** A block as conductors write it into the replicated log. */
export interface BlockCommand {
  /** An unsafe block that becomes the head. */
  payload: UnsafePayload;
  /**
   * Hash of the head that this block replaces, with everything from the block's height on, because the sequencer rebuilt
   * these heights. Undefined for a block that replaces nothing.
   */
  replacesHead: string | undefined;
  reset?: undefined;
  record?: undefined;
}

interface ResetCommand {
  reset: ResetRequest;
  payload?: undefined;
  record?: undefined;
}

interface RecordCommand {
  record: ClusterRecord;
  payload?: undefined;
  reset?: undefined;
}

/** A command that concerns the chain. */
export type ChainCommand = BlockCommand | ResetCommand;

/** What conductors write into the replicated log. */
export type LogCommand = ChainCommand | RecordCommand;

/**
 * Every entry begins with its type and the version of its encoding, so that other commands can be added later without
 * migrating old logs.
 *
 *   byte 0: type · byte 1: version · rest: body
 *   append: SSZ of the payload · replace: hash of the replaced head (32 bytes), SSZ of the payload
 *   reset: JSON of the request · record: JSON of the record
 */
const TYPE_APPEND = 1;
const TYPE_REPLACE = 2;
const TYPE_RESET = 3;
const TYPE_RECORD = 4;
const VERSION = 1;
const HASH_BYTES = 32;

/** The entry for a command. Takes the headroom of the payload, so that its bytes are not copied. */
export function encodeCommand(command: LogCommand): Buffer {
  if (command.reset) return withJson(TYPE_RESET, command.reset);
  if (command.record) return withJson(TYPE_RECORD, command.record);
  const { payload, replacesHead } = command;
  if (replacesHead === undefined) return withPrefix(Buffer.from([TYPE_APPEND, VERSION]), payload);
  return withPrefix(
    Buffer.concat([Buffer.from([TYPE_REPLACE, VERSION]), Buffer.from(replacesHead.slice(2), 'hex')]),
    payload,
  );
}

function withJson(type: number, body: object): Buffer {
  return Buffer.concat([Buffer.from([type, VERSION]), Buffer.from(JSON.stringify(body))]);
}

function withPrefix(prefix: Buffer, payload: UnsafePayload): Buffer {
  const { ssz, headroomBytes = 0 } = payload;
  if (headroomBytes < prefix.length) return Buffer.concat([prefix, ssz]);
  payload.headroomBytes = 0;
  const entry = Buffer.from(ssz.buffer, ssz.byteOffset - prefix.length, prefix.length + ssz.length);
  entry.set(prefix);
  return entry;
}

/**
 * @throws StorageError `newer-format` for a type or version that this release does not know: continuing would fork the
 * state
 */
export function decodeCommand(data: Uint8Array): LogCommand {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const [type, version] = bytes;
  const unknown = (): StorageError =>
    new StorageError('newer-format', `The log has a command of type ${type}, version ${version}`, {
      type,
      version,
    });
  if (version !== VERSION) throw unknown();
  if (type === TYPE_RESET) {
    const reset = decodeJson(bytes.subarray(2), resetSchema);
    if (!reset) throw unknown();
    return { reset };
  }
  if (type === TYPE_RECORD) {
    const body = bytes.subarray(2);
    const record = body.length > RECORD_BYTES_MAX ? undefined : decodeJson(body, recordSchema);
    if (!record) throw unknown();
    return { record };
  }
  if (type !== TYPE_APPEND && type !== TYPE_REPLACE) throw unknown();
  const bodyAt = type === TYPE_APPEND ? 2 : 2 + HASH_BYTES;
  const ssz = bytes.subarray(bodyAt);
  return {
    payload: { ref: readRef(ssz), ssz },
    replacesHead: type === TYPE_APPEND ? undefined : `0x${bytes.toString('hex', 2, bodyAt)}`,
  };
}

/** A command that concerns the chain. @throws StorageError `newer-format` for any other */
export function decodeChainCommand(data: Uint8Array): ChainCommand {
  const command = decodeCommand(data);
  if (!command.record) return command;
  throw new StorageError('newer-format', 'A record stands where a block or a reset belongs', {
    type: TYPE_RECORD,
  });
}

/** Undefined for what this release does not write: the log has CRCs, so a newer one wrote it. */
function decodeJson<T>(body: Buffer, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.safeParse(JSON.parse(body.toString())).data;
  } catch {
    return undefined;
  }
}

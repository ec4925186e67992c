import { crc32 } from 'node:zlib';
import type { NodeId } from '../core/configuration.js';
import { ByteReader, ByteWriter } from './byte-io.js';
import { FrameError } from './errors.js';
import { decodeMessage, encodeMessage, typeCode } from './message-codec.js';
import type { WireMessage } from './wire-message.js';
import { versionsText, WIRE_VERSIONS, type WireVersions } from './wire-versions.js';

const MAGIC = 0x42_54_4f_4e;
const ID_BYTES = 16;

/** Sender and receiver. Identifiers of 16 bytes are 32 hex digits. */
export interface FrameAddress {
  clusterId: string;
  from: NodeId;
  fromIncarnation: string;
  /** Random per process. */
  bootId: string;
  to: NodeId;
  toIncarnation: string;
}

export interface Frame extends FrameAddress {
  message: WireMessage;
}

const hex16 = (text: string): Buffer => {
  const bytes = Buffer.from(text, 'hex');
  if (bytes.length !== ID_BYTES) throw new Error(`${JSON.stringify(text)} is not a 16-byte identifier`);
  return bytes;
};

/**
 * One message as it travels, everything big-endian:
 *
 *   magic 4 · version 1 · type 1 · cluster 16 · from 16 · to 16 · boot 16 · term 8 · request 8
 *   length of fields 4 · length of data 4 · from id · to id (each: length 1, UTF-8)
 *   fields · CRC-32 of all before 4 · data (its CRCs are among the fields)
 *
 * Everything but the data comes in one chunk. The data are not copied from the message: the same bytes serve all
 * followers.
 *
 * @param version a version that the receiver speaks
 */
export function encodeFrame(
  { message, ...address }: Frame,
  version: number = WIRE_VERSIONS.newest,
): Uint8Array[] {
  const { fields, data } = encodeMessage(message, version);
  const w = new ByteWriter(512)
    .u32(MAGIC)
    .u8(version)
    .u8(typeCode(message))
    .bytes(hex16(address.clusterId))
    .bytes(hex16(address.fromIncarnation))
    .bytes(hex16(address.toIncarnation))
    .bytes(hex16(address.bootId))
    .u53(message.term)
    .u53(message.requestId)
    .u32(fields.length)
    .u32(data.reduce((sum, chunk) => sum + chunk.length, 0))
    .shortText(address.from)
    .shortText(address.to)
    .bytes(fields);
  return [w.u32(crc32(w.done())).done(), ...data];
}

/** @throws FrameError; allocates nothing beyond small fields: data are slices of `bytes` */
export function decodeFrame(bytes: Buffer, versions: WireVersions = WIRE_VERSIONS): Frame {
  const r = new ByteReader(bytes);
  if (r.u32() !== MAGIC) throw new FrameError('bad-magic', 'not a Baton frame');
  const version = r.u8();
  checkVersion(version, versions);
  const type = r.u8();
  const [clusterId, fromIncarnation, toIncarnation, bootId] = [0, 1, 2, 3].map(() =>
    r.bytes(ID_BYTES).toString('hex'),
  );
  const term = r.u53();
  const requestId = r.u53();
  const fieldsLength = r.u32();
  const dataLength = r.u32();
  const from = r.shortText();
  const to = r.shortText();
  const fields = r.bytes(fieldsLength);
  const covered = bytes.subarray(0, r.position);
  if (r.u32() !== crc32(covered)) throw new FrameError('bad-crc', 'the CRC of the fields is wrong');
  if (dataLength !== r.remaining) {
    throw new FrameError('wrong-length', `${r.remaining} bytes of data, announced as ${dataLength}`);
  }
  return {
    clusterId: clusterId as string,
    fromIncarnation: fromIncarnation as string,
    toIncarnation: toIncarnation as string,
    bootId: bootId as string,
    from,
    to,
    message: decodeMessage(type, { term, requestId }, fields, r.bytes(dataLength), version),
  };
}

/** @throws FrameError `wrong-version` */
export function checkVersion(version: number, versions: WireVersions): void {
  if (version >= versions.oldest && version <= versions.newest) return;
  throw new FrameError(
    'wrong-version',
    `wire version ${version}, this node speaks ${versionsText(versions)}`,
  );
}

import type { GoField } from './go-json-error.js';
import { badField, cannotUnmarshal, goJsonKind, missingField, unknownField } from './go-json-error.js';
import { hexBytesLength, writeBytes, writeFixedBytes, writeUint256, writeUint64 } from './hex-fields.js';
import { PayloadError } from './payload-error.js';
import { readRef } from './block-ref.js';
import {
  at,
  FIXED_V3_BYTES,
  FIXED_V4_BYTES,
  MAX_EXTRA_DATA_BYTES,
  MAX_TRANSACTIONS,
  PAYLOAD_START,
} from './ssz-layout.js';
import { HEADROOM_BYTES, type UnsafePayload } from './unsafe-payload.js';

type JsonObject = Record<string, unknown>;

const SEND_ENVELOPE =
  'send {"parentBeaconBlockRoot": ..., "executionPayload": {...}} as the only parameter, as op-node does';
const SEND_FIELD = 'send every field that engine_getPayload returned';
const ECOTONE_ONLY = 'blocks from before the Ecotone fork are not supported';

// op-conductor echoes the whole value, doubled by its hex dump. A megabyte of it would help nobody.
const MAX_ECHO_BYTES = 1024;

const beaconRoot: GoField = { path: 'parentBeaconBlockRoot', goType: 'common.Hash' };
const executionPayload: GoField = { path: 'executionPayload', goType: 'eth.ExecutionPayload' };
const extraData = payloadField('extraData', 'hexutil.Bytes');
const transactions = payloadField('transactions', '[]hexutil.Bytes');
const transaction = payloadField('transactions', 'hexutil.Bytes');
const withdrawals = payloadField('withdrawals', 'types.Withdrawals');
const withdrawalsRoot = payloadField('withdrawalsRoot', 'common.Hash');

/** Writes one member of the execution payload to its fixed place. */
interface FixedField {
  name: string;
  write: (out: Buffer, value: unknown) => void;
}

/** The members before `transactions`, in op-node's order, so that the first bad one is reported. */
const LEADING_FIELDS: readonly FixedField[] = [
  bytesField('parentHash', 32, 'common.Hash'),
  bytesField('feeRecipient', 20, 'common.Address'),
  bytesField('stateRoot', 32, '*eth.Bytes32'),
  bytesField('receiptsRoot', 32, '*eth.Bytes32'),
  bytesField('logsBloom', 256, '*eth.Bytes256'),
  bytesField('prevRandao', 32, '*eth.Bytes32'),
  uint64Field('blockNumber'),
  uint64Field('gasLimit'),
  uint64Field('gasUsed'),
  uint64Field('timestamp'),
  {
    name: 'baseFeePerGas',
    write: (out, value) =>
      writeUint256(out, at.baseFeePerGas, value, payloadField('baseFeePerGas', '*uint256.Int')),
  },
  bytesField('blockHash', 32, 'common.Hash'),
];

const BLOB_FIELDS: readonly FixedField[] = [uint64Field('blobGasUsed'), uint64Field('excessBlobGas')];

const ENVELOPE_MEMBERS = new Set(['parentBeaconBlockRoot', 'executionPayload']);

const PAYLOAD_MEMBERS = new Set([
  ...[...LEADING_FIELDS, ...BLOB_FIELDS].map(({ name }) => name),
  'extraData',
  'transactions',
  'withdrawals',
  'withdrawalsRoot',
]);

/**
 * Turns the JSON envelope of `conductor_commitUnsafePayload` into an `UnsafePayload`.
 *
 * Stricter than op-conductor, which treats absent members as zero and makes the result the cluster's head: every member of
 * an Ecotone block is required, and withdrawals must be empty, as on every OP Stack chain. Unknown members are refused
 * unless null: without them the block that we send would have another hash, and nobody could import it. A payload with
 * `withdrawalsRoot` always becomes SSZ V4; op-conductor drops the member when it is the hash of the empty list
 * (docs/reference/op-conductor.md §5.2). The block hash is not recomputed.
 *
 * @param param the parameter as JSON.parse left it; `undefined` when there was none
 * @throws PayloadError with op-conductor's text where op-conductor has one
 */
export function decodeEnvelope(param: unknown): UnsafePayload {
  const envelope = objectOrMissing(
    param,
    (kind) =>
      new PayloadError(
        'bad-field',
        '',
        `json: cannot unmarshal ${kind} into Go value of type eth.ExecutionPayloadEnvelope`,
      ),
  );
  if (envelope === undefined) throw missingField('executionPayload', SEND_ENVELOPE);
  const payload = objectOrMissing(envelope['executionPayload'], (kind) =>
    cannotUnmarshal(kind, executionPayload),
  );
  if (payload === undefined) throw missingField('executionPayload', SEND_ENVELOPE);
  requireKnown(envelope, ENVELOPE_MEMBERS, '');
  requireKnown(payload, PAYLOAD_MEMBERS, 'executionPayload.');

  const ssz = encodePayload(payload, envelope['parentBeaconBlockRoot']);
  return { ref: readRef(ssz), ssz, headroomBytes: HEADROOM_BYTES };
}

function requireKnown(object: JsonObject, known: ReadonlySet<string>, prefix: string): void {
  const unknown = Object.keys(object).find((name) => !known.has(name) && isPresent(object[name]));
  if (unknown !== undefined) throw unknownField(prefix + unknown);
}

function encodePayload(payload: JsonObject, root: unknown): Buffer {
  const extraDataBytes = measureExtraData(required(payload, 'extraData'));
  const txs = measureTransactions(required(payload, 'transactions'));
  const hasWithdrawalsRoot = isPresent(payload['withdrawalsRoot']);
  const fixedBytes = hasWithdrawalsRoot ? FIXED_V4_BYTES : FIXED_V3_BYTES;
  const transactionsOffset = fixedBytes + extraDataBytes;
  const withdrawalsOffset = transactionsOffset + 4 * txs.count + txs.bytes;

  // Every byte of it is written below.
  const ssz = Buffer.allocUnsafe(HEADROOM_BYTES + PAYLOAD_START + withdrawalsOffset).subarray(HEADROOM_BYTES);
  if (isPresent(root)) writeFixedBytes(ssz, at.parentBeaconBlockRoot, 32, root, beaconRoot);
  for (const field of LEADING_FIELDS) field.write(ssz, required(payload, field.name));
  writeBytes(ssz, PAYLOAD_START + fixedBytes, extraDataBytes, payload['extraData'] as string, extraData);
  writeTransactions(ssz, PAYLOAD_START + transactionsOffset, payload['transactions'] as string[]);
  checkNoWithdrawals(payload['withdrawals']);
  for (const field of BLOB_FIELDS) field.write(ssz, required(payload, field.name, ECOTONE_ONLY));
  if (hasWithdrawalsRoot) {
    writeFixedBytes(ssz, at.withdrawalsRoot, 32, payload['withdrawalsRoot'], withdrawalsRoot);
  }
  ssz.writeUInt32LE(fixedBytes, at.extraDataOffset);
  ssz.writeUInt32LE(transactionsOffset, at.transactionsOffset);
  ssz.writeUInt32LE(withdrawalsOffset, at.withdrawalsOffset);

  // op-conductor notices it after everything else, when it encodes the envelope.
  if (!isPresent(root)) {
    throw new PayloadError(
      'missing-beacon-root',
      beaconRoot.path,
      'execution payload envelope is missing data',
    );
  }
  return ssz;
}

function measureExtraData(value: unknown): number {
  if (typeof value === 'string' && value.length > 2 + 2 * MAX_EXTRA_DATA_BYTES) {
    const echo = Buffer.from(JSON.stringify(value)).toString('hex', 0, MAX_ECHO_BYTES);
    throw badField(
      extraData,
      `input too long, expected at most ${MAX_EXTRA_DATA_BYTES} hex-encoded, 0x-prefixed, bytes: ${echo}`,
    );
  }
  return hexBytesLength(value, extraData);
}

function measureTransactions(value: unknown): { count: number; bytes: number } {
  if (!Array.isArray(value)) throw cannotUnmarshal(goJsonKind(value), transactions);
  if (value.length > MAX_TRANSACTIONS) {
    throw badField(
      transactions,
      `${transactions.path}: ${value.length} are too many, the limit is ${MAX_TRANSACTIONS}`,
    );
  }
  let bytes = 0;
  for (const tx of value) bytes += hexBytesLength(tx, transaction);
  return { count: value.length, bytes };
}

function writeTransactions(out: Buffer, start: number, txs: string[]): void {
  let offset = 4 * txs.length;
  txs.forEach((tx, index) => {
    const length = (tx.length - 2) / 2;
    out.writeUInt32LE(offset, start + 4 * index);
    writeBytes(out, start + offset, length, tx, transaction);
    offset += length;
  });
}

function checkNoWithdrawals(value: unknown): void {
  if (!isPresent(value)) {
    throw missingField(
      withdrawals.path,
      `send "withdrawals": []; blocks from before the Canyon fork are not supported`,
    );
  }
  if (!Array.isArray(value)) throw cannotUnmarshal(goJsonKind(value), withdrawals);
  if (value.length > 0) {
    throw badField(
      withdrawals,
      `${withdrawals.path}: has ${value.length} entries; a rollup block has none, send []`,
    );
  }
}

function bytesField(name: FixedName, length: number, goType: string): FixedField {
  const field = payloadField(name, goType);
  return { name, write: (out, value) => writeFixedBytes(out, at[name], length, value, field) };
}

function uint64Field(name: FixedName): FixedField {
  const field = payloadField(name, 'hexutil.Uint64');
  const inRef = name === 'blockNumber' || name === 'timestamp';
  return {
    name,
    write: (out, value) => {
      writeUint64(out, at[name], value, field);
      if (inRef && out.readBigUInt64LE(at[name]) > Number.MAX_SAFE_INTEGER) {
        throw badField(field, `${field.path}: ${String(value)} is above 2^53-1; no chain is that long`);
      }
    },
  };
}

type FixedName = keyof typeof at;

function payloadField(name: string, goType: string): GoField {
  return { path: `executionPayload.${name}`, goType };
}

/**
 * Only an absent member is missing: null has its own text in Go for plain fields. The lists and the members
 * that Go keeps as pointers take null for absent.
 */
function required(payload: JsonObject, name: string, remedy = SEND_FIELD): unknown {
  const value = payload[name];
  const nullIsAbsent = name === 'transactions' || name === 'blobGasUsed' || name === 'excessBlobGas';
  if (value === undefined || (value === null && nullIsAbsent)) {
    throw missingField(`executionPayload.${name}`, remedy);
  }
  return value;
}

function objectOrMissing(value: unknown, wrongKind: (kind: string) => PayloadError): JsonObject | undefined {
  if (!isPresent(value)) return undefined;
  if (typeof value !== 'object' || Array.isArray(value)) throw wrongKind(goJsonKind(value));
  return value as JsonObject;
}

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}

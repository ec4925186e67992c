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
import type { UnsafePayload } from './unsafe-payload.js';

/**
 * Checks an SSZ envelope and reads the block's identity from it. Only the one canonical encoding passes: V3 or
 * V4, parts in order without gaps or trailing bytes, no withdrawals. Nothing is copied: the result shares
 * memory with `bytes`, which must not change afterwards.
 *
 * @throws PayloadError that names the field
 */
export function decodeSsz(bytes: Uint8Array): UnsafePayload {
  const ssz = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = ssz.length - PAYLOAD_START;
  if (length < FIXED_V3_BYTES) {
    throw bad(
      'executionPayload',
      `the envelope has ${ssz.length} bytes, at least ${PAYLOAD_START + FIXED_V3_BYTES} are needed`,
    );
  }
  const extraData = ssz.readUInt32LE(at.extraDataOffset);
  const transactions = ssz.readUInt32LE(at.transactionsOffset);
  const withdrawals = ssz.readUInt32LE(at.withdrawalsOffset);

  if (extraData !== FIXED_V3_BYTES && extraData !== FIXED_V4_BYTES) {
    throw bad(
      'extraData',
      `offset ${extraData} is neither ${FIXED_V3_BYTES} (V3) nor ${FIXED_V4_BYTES} (V4); ` +
        'blocks from before the Ecotone fork are not supported',
    );
  }
  if (transactions < extraData || transactions > length) {
    throw bad('transactions', `offset ${transactions} is outside ${extraData}..${length}`);
  }
  if (transactions - extraData > MAX_EXTRA_DATA_BYTES) {
    throw bad('extraData', `has ${transactions - extraData} bytes, the limit is ${MAX_EXTRA_DATA_BYTES}`);
  }
  if (withdrawals < transactions || withdrawals > length) {
    throw bad('withdrawals', `offset ${withdrawals} is outside ${transactions}..${length}`);
  }
  if (withdrawals !== length) {
    throw bad('withdrawals', `${length - withdrawals} bytes found; a rollup block has no withdrawals`);
  }
  checkTransactions(ssz.subarray(PAYLOAD_START + transactions));
  checkSafeInteger(ssz, 'blockNumber');
  checkSafeInteger(ssz, 'timestamp');
  return { ref: readRef(ssz), ssz };
}

/** `list` is a table of uint32 offsets from its own start, then the transactions back to back. */
function checkTransactions(list: Buffer): void {
  if (list.length === 0) return;
  const tableBytes = list.length < 4 ? 0 : list.readUInt32LE(0);
  const count = tableBytes / 4;
  if (!Number.isInteger(count) || count === 0 || tableBytes > list.length) {
    throw bad('transactions', `${tableBytes} is not the size of an offset table in ${list.length} bytes`);
  }
  if (count > MAX_TRANSACTIONS) {
    throw bad('transactions', `${count} are too many, the limit is ${MAX_TRANSACTIONS}`);
  }
  let previous = tableBytes;
  for (let index = 1; index < count; index++) {
    const offset = list.readUInt32LE(4 * index);
    if (offset < previous || offset > list.length) {
      throw bad(
        `transactions[${index}]`,
        `offset ${offset} is outside ${previous}..${list.length}, counted from the list's start`,
      );
    }
    previous = offset;
  }
}

function checkSafeInteger(ssz: Buffer, name: 'blockNumber' | 'timestamp'): void {
  const value = ssz.readBigUInt64LE(at[name]);
  if (value > Number.MAX_SAFE_INTEGER) throw bad(name, `${value} is above 2^53-1; no chain is that long`);
}

function bad(name: string, problem: string): PayloadError {
  const field = name === 'executionPayload' ? name : `executionPayload.${name}`;
  return new PayloadError('bad-field', field, `${field}: ${problem}`);
}

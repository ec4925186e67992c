import { at, FIXED_V4_BYTES, PAYLOAD_START } from './ssz-layout.js';

/**
 * The JSON text of an envelope as op-node writes it (same members, same order), ready to be spliced in as the
 * parameter of `admin_postUnsafePayload`.
 *
 * @param ssz an envelope that `decodeEnvelope` or `decodeSsz` accepted; not checked again
 */
export function envelopeJson(ssz: Buffer): string {
  const fixedBytes = ssz.readUInt32LE(at.extraDataOffset);
  const extraDataStart = PAYLOAD_START + fixedBytes;
  const transactionsStart = PAYLOAD_START + ssz.readUInt32LE(at.transactionsOffset);
  const withdrawalsRoot =
    fixedBytes === FIXED_V4_BYTES ? `,"withdrawalsRoot":${bytes(ssz, at.withdrawalsRoot, 32)}` : '';

  const head =
    `{"parentBeaconBlockRoot":${bytes(ssz, at.parentBeaconBlockRoot, 32)},"executionPayload":{` +
    `"parentHash":${bytes(ssz, at.parentHash, 32)},` +
    `"feeRecipient":${bytes(ssz, at.feeRecipient, 20)},` +
    `"stateRoot":${bytes(ssz, at.stateRoot, 32)},` +
    `"receiptsRoot":${bytes(ssz, at.receiptsRoot, 32)},` +
    `"logsBloom":${bytes(ssz, at.logsBloom, 256)},` +
    `"prevRandao":${bytes(ssz, at.prevRandao, 32)},` +
    `"blockNumber":${uint64(ssz, at.blockNumber)},` +
    `"gasLimit":${uint64(ssz, at.gasLimit)},` +
    `"gasUsed":${uint64(ssz, at.gasUsed)},` +
    `"timestamp":${uint64(ssz, at.timestamp)},` +
    `"extraData":${bytes(ssz, extraDataStart, transactionsStart - extraDataStart)},` +
    `"baseFeePerGas":${uint256(ssz, at.baseFeePerGas)},` +
    `"blockHash":${bytes(ssz, at.blockHash, 32)},` +
    `"transactions":[`;
  const tail =
    `],"withdrawals":[],` +
    `"blobGasUsed":${uint64(ssz, at.blobGasUsed)},` +
    `"excessBlobGas":${uint64(ssz, at.excessBlobGas)}${withdrawalsRoot}}}`;
  return withTransactions(head, ssz.subarray(transactionsStart), tail);
}

/** Joins in a buffer: V8 is four times slower in flattening a megabyte of concatenated strings. */
function withTransactions(head: string, list: Buffer, tail: string): string {
  const count = list.length === 0 ? 0 : list.readUInt32LE(0) / 4;
  // Each transaction's table entry counts for 8 characters, more than its punctuation takes.
  const json = Buffer.allocUnsafe(head.length + 2 * list.length + tail.length);
  let length = json.write(head, 0, 'latin1');
  for (let index = 0; index < count; index++) {
    const start = list.readUInt32LE(4 * index);
    const end = index + 1 < count ? list.readUInt32LE(4 * (index + 1)) : list.length;
    length += json.write(index === 0 ? '"0x' : ',"0x', length, 'latin1');
    length += json.write(list.toString('hex', start, end), length, 'latin1');
    length += json.write('"', length, 'latin1');
  }
  length += json.write(tail, length, 'latin1');
  return json.toString('latin1', 0, length);
}

function bytes(buffer: Buffer, start: number, length: number): string {
  return `"0x${buffer.toString('hex', start, start + length)}"`;
}

function uint64(buffer: Buffer, start: number): string {
  return `"0x${buffer.readBigUInt64LE(start).toString(16)}"`;
}

function uint256(buffer: Buffer, start: number): string {
  const bigEndian = Buffer.from(buffer.subarray(start, start + 32)).reverse();
  return `"0x${BigInt(`0x${bigEndian.toString('hex')}`).toString(16)}"`;
}

import { at } from './ssz-layout.js';
import type { BlockRef } from './unsafe-payload.js';

/**
 * The block's identity, read from fixed offsets.
 *
 * @param ssz an envelope that `decodeEnvelope` or `decodeSsz` accepted; not checked again
 */
export function readRef(ssz: Buffer): BlockRef {
  return {
    number: Number(ssz.readBigUInt64LE(at.blockNumber)),
    hash: hex32(ssz, at.blockHash),
    parentHash: hex32(ssz, at.parentHash),
    timestamp: Number(ssz.readBigUInt64LE(at.timestamp)),
  };
}

function hex32(ssz: Buffer, start: number): string {
  return `0x${ssz.toString('hex', start, start + 32)}`;
}

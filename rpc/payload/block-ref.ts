import { at } from './ssz-layout.js';

/** A block by its height and hash. Hashes are `0x` and 64 lower-case hex digits. */
export interface BlockId {
  number: number;
  hash: string;
}

/** A block's identity and place in the chain. */
export interface BlockRef extends BlockId {
  parentHash: string;
  /** Seconds since the epoch. */
  timestamp: number;
}

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

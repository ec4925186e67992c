/**
 * Byte offsets of the SSZ envelope (docs/reference/op-conductor.md §5.2), counted from its first byte: the 32 bytes of
 * parentBeaconBlockRoot, then the execution payload. All integers are little-endian. The three `…Offset`
 * fields hold uint32 offsets that count from the start of the execution payload.
 */
export const at = {
  parentBeaconBlockRoot: 0,
  parentHash: 32,
  feeRecipient: 64,
  stateRoot: 84,
  receiptsRoot: 116,
  logsBloom: 148,
  prevRandao: 404,
  blockNumber: 436,
  gasLimit: 444,
  gasUsed: 452,
  timestamp: 460,
  extraDataOffset: 468,
  baseFeePerGas: 472,
  blockHash: 504,
  transactionsOffset: 536,
  withdrawalsOffset: 540,
  blobGasUsed: 544,
  excessBlobGas: 552,
  /** V4 only. */
  withdrawalsRoot: 560,
} as const;

/** Where the execution payload starts in the envelope. */
export const PAYLOAD_START = 32;

/** Length of the execution payload's fixed part; the extraData offset equals it, which tells the versions apart. */
export const FIXED_V3_BYTES = 528;
export const FIXED_V4_BYTES = 560;

export const MAX_EXTRA_DATA_BYTES = 32;
export const MAX_TRANSACTIONS = 2 ** 20;

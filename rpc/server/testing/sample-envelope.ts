/** The JSON envelope that the recorded bad payloads vary: valid in form, not a real block. */
export function sampleEnvelope(changes: Record<string, unknown> = {}): {
  parentBeaconBlockRoot: string;
  executionPayload: Record<string, unknown>;
} {
  return {
    parentBeaconBlockRoot: `0x${'00'.repeat(32)}`,
    executionPayload: {
      parentHash: `0x${'11'.repeat(32)}`,
      feeRecipient: `0x${'22'.repeat(20)}`,
      stateRoot: `0x${'33'.repeat(32)}`,
      receiptsRoot: `0x${'44'.repeat(32)}`,
      logsBloom: `0x${'00'.repeat(256)}`,
      prevRandao: `0x${'55'.repeat(32)}`,
      blockNumber: '0x1',
      gasLimit: '0x1c9c380',
      gasUsed: '0x0',
      timestamp: '0x5',
      extraData: '0x',
      baseFeePerGas: '0x7',
      blockHash: `0x${'66'.repeat(32)}`,
      transactions: [],
      withdrawals: [],
      blobGasUsed: '0x0',
      excessBlobGas: '0x0',
      ...changes,
    },
  };
}

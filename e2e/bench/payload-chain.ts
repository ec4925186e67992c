import { createHash, randomBytes } from 'node:crypto';

const ZERO_HASH = `0x${'0'.repeat(64)}`;

/** JSON bodies of `conductor_commitUnsafePayload` for a chain of made-up blocks, each with one random transaction. */
export class PayloadChain {
  private number: number;
  private parentHash: string;

  /** @param start a height that the conductor under test does not hold yet */
  constructor(start: number) {
    this.number = start;
    this.parentHash = ZERO_HASH;
  }

  /** The body for the next block, about `bytes` long. */
  next(bytes: number): Buffer {
    const hash = `0x${createHash('sha256').update(this.parentHash).update(String(this.number)).digest('hex')}`;
    const frame = this.body(hash, '0x');
    const filler = randomBytes(Math.max(1, Math.floor((bytes - frame.length) / 2)));
    const body = this.body(hash, `0x${filler.toString('hex')}`);
    this.parentHash = hash;
    this.number += 1;
    return Buffer.from(body);
  }

  private body(blockHash: string, transaction: string): string {
    const executionPayload = {
      parentHash: this.parentHash,
      feeRecipient: '0x4200000000000000000000000000000000000011',
      stateRoot: ZERO_HASH,
      receiptsRoot: ZERO_HASH,
      logsBloom: `0x${'0'.repeat(512)}`,
      prevRandao: ZERO_HASH,
      blockNumber: `0x${this.number.toString(16)}`,
      gasLimit: '0xbebc200',
      gasUsed: '0x5208',
      timestamp: `0x${(1_700_000_000 + this.number).toString(16)}`,
      extraData: '0x01000000fa000000060000000000000000',
      baseFeePerGas: '0xf32a0',
      blockHash,
      transactions: [transaction],
      withdrawals: [],
      blobGasUsed: '0x0',
      excessBlobGas: '0x0',
      withdrawalsRoot: ZERO_HASH,
    };
    const params = [{ parentBeaconBlockRoot: ZERO_HASH, executionPayload }];
    return JSON.stringify({
      jsonrpc: '2.0',
      id: this.number,
      method: 'conductor_commitUnsafePayload',
      params,
    });
  }
}

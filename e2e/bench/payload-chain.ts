import { createHash, randomBytes } from 'node:crypto';
import { decodeEnvelope } from '../../rpc/payload/decode-envelope.js';

const ZERO_HASH = `0x${'0'.repeat(64)}`;

/** Bytes of a binary body besides the transaction: the fixed part, extraData and one offset. */
const SSZ_FRAME_BYTES = 32 + 560 + 17 + 4;

/** Bodies of commits for a chain of made-up blocks, each with one random transaction. */
export class PayloadChain {
  private number: number;
  private parentHash = ZERO_HASH;

  /** @param start a height that the conductor under test does not hold yet */
  constructor(start: number) {
    this.number = start;
  }

  /** The body of `conductor_commitUnsafePayload` for the next block, about `bytes` long. */
  next(bytes: number): Buffer {
    const frameBytes = this.json('0x').length;
    const body = this.json(randomHex((bytes - frameBytes) / 2));
    this.advance();
    return Buffer.from(body);
  }

  /** The body of `POST /commit-unsafe-payload` for the next block, about `bytes` long. */
  nextBinary(bytes: number): Buffer {
    const { ssz } = decodeEnvelope(this.envelope(randomHex(bytes - SSZ_FRAME_BYTES)));
    this.advance();
    return ssz;
  }

  private get hash(): string {
    return `0x${createHash('sha256').update(this.parentHash).update(String(this.number)).digest('hex')}`;
  }

  private advance(): void {
    this.parentHash = this.hash;
    this.number += 1;
  }

  private json(transaction: string): string {
    return JSON.stringify({
      jsonrpc: '2.0',
      id: this.number,
      method: 'conductor_commitUnsafePayload',
      params: [this.envelope(transaction)],
    });
  }

  private envelope(transaction: string): object {
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
      blockHash: this.hash,
      transactions: [transaction],
      withdrawals: [],
      blobGasUsed: '0x0',
      excessBlobGas: '0x0',
      withdrawalsRoot: ZERO_HASH,
    };
    return { parentBeaconBlockRoot: ZERO_HASH, executionPayload };
  }
}

function randomHex(bytes: number): string {
  return `0x${randomBytes(Math.max(1, Math.floor(bytes))).toString('hex')}`;
}

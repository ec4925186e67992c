import { randomBytes } from 'node:crypto';
import { keccak256, parseTransaction, serializeTransaction } from 'viem/utils';
import type { Hex } from 'viem';
import { decodeDeposit } from './l1-info.js';
import { toQuantity, type PayloadEnvelope } from './payload.js';

/** Under the 128 kB that a real transaction pool takes. */
const MAX_CALLDATA_BYTES = 110_000;
/** The first well-known development account. Signatures are random, so the sender is fixed to this account. */
const SENDER = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266';

/** Transactions with random calldata, `totalBytes` of it in all; as incompressible as a rollup's worst day. */
export function randomTransactions(chainId: number, totalBytes: number): Hex[] {
  const transactions: Hex[] = [];
  for (let left = totalBytes; left > 0; left -= MAX_CALLDATA_BYTES) {
    transactions.push(
      serializeTransaction(
        {
          type: 'eip1559',
          chainId,
          nonce: randomBytes(4).readUInt32BE(),
          maxPriorityFeePerGas: 1_000_000n,
          maxFeePerGas: 2_000_000_000n,
          gas: 5_000_000n,
          to: randomHex(20),
          value: 1n,
          data: randomHex(Math.min(left, MAX_CALLDATA_BYTES)),
        },
        { r: randomHex(32), s: randomHex(32), yParity: 0 },
      ),
    );
  }
  return transactions;
}

/** A block's transaction as `eth_getBlockByNumber` shows it in full: a deposit or an EIP-1559 transaction. */
export function transactionJson(
  { executionPayload: block }: PayloadEnvelope,
  index: number,
): Record<string, unknown> {
  const raw = block.transactions[index]!;
  const place = {
    blockHash: block.blockHash,
    blockNumber: block.blockNumber,
    blockTimestamp: block.timestamp,
    hash: keccak256(raw),
    transactionIndex: toQuantity(index),
  };
  const deposit = decodeDeposit(raw);
  if (deposit !== undefined) {
    const { from, to, gas, input, sourceHash } = deposit;
    const noSignature = { v: '0x0', r: '0x0', s: '0x0' };
    const fees = { gasPrice: '0x0', mint: '0x0', depositReceiptVersion: '0x1' };
    return {
      ...place,
      from,
      to,
      gas,
      input,
      sourceHash,
      nonce: '0x0',
      value: '0x0',
      type: '0x7e',
      ...fees,
      ...noSignature,
    };
  }
  const parsed = parseTransaction(raw as `0x02${string}`);
  const maxFee = parsed.maxFeePerGas ?? 0n;
  const tip = parsed.maxPriorityFeePerGas ?? 0n;
  const wanted = BigInt(block.baseFeePerGas) + tip;
  return {
    ...place,
    from: SENDER,
    to: parsed.to,
    gas: quantity(parsed.gas),
    gasPrice: quantity(wanted < maxFee ? wanted : maxFee),
    maxFeePerGas: quantity(maxFee),
    maxPriorityFeePerGas: quantity(tip),
    input: parsed.data ?? '0x',
    nonce: toQuantity(parsed.nonce ?? 0),
    value: quantity(parsed.value),
    type: '0x2',
    accessList: parsed.accessList ?? [],
    chainId: toQuantity(parsed.chainId),
    v: quantity(parsed.v),
    r: parsed.r,
    s: parsed.s,
    yParity: toQuantity(parsed.yParity ?? 0),
  };
}

function randomHex(bytes: number): Hex {
  return `0x${randomBytes(bytes).toString('hex')}`;
}

function quantity(value: bigint | undefined): Hex {
  return `0x${(value ?? 0n).toString(16)}`;
}

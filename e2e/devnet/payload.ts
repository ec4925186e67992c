import { z } from 'zod';
import type { Hex } from 'viem';

const hex = (bytes: number) =>
  z
    .string()
    .regex(new RegExp(`^0x[0-9a-fA-F]{${bytes * 2}}$`), `want ${bytes} bytes of hex`)
    .transform((value) => value.toLowerCase() as Hex);
const hash = hex(32);
const data = z
  .string()
  .regex(/^0x[0-9a-fA-F]*$/, 'want hex data')
  .refine((value) => value.length % 2 === 0, 'hex data of odd length')
  .transform((value) => value as Hex);
const quantity = z
  .string()
  .regex(/^0x(0|[1-9a-fA-F][0-9a-fA-F]*)$/, 'want a hex quantity')
  .transform((value) => value.toLowerCase() as Hex);

/**
 * The JSON envelope in which op-node hands blocks to its conductor and takes them back (docs/reference/op-conductor.md
 * §2.3). Quantities and data are hex strings; keys come out in the order in which op-node sends them.
 */
export const envelopeSchema = z.object({
  parentBeaconBlockRoot: hash,
  executionPayload: z.object({
    parentHash: hash,
    feeRecipient: hex(20),
    stateRoot: hash,
    receiptsRoot: hash,
    logsBloom: hex(256),
    prevRandao: hash,
    blockNumber: quantity,
    gasLimit: quantity,
    gasUsed: quantity,
    timestamp: quantity,
    extraData: data,
    baseFeePerGas: quantity,
    blockHash: hash,
    transactions: z.array(data),
    withdrawals: z.tuple([]),
    blobGasUsed: quantity,
    excessBlobGas: quantity,
    /** Present from Isthmus on; then the header carries it, and a requests hash besides. */
    withdrawalsRoot: hash.optional(),
  }),
});

/** An unsafe block, with the header fields that the payload lacks. */
export type PayloadEnvelope = z.infer<typeof envelopeSchema>;

/** Identity of a block and its place in the chain; `timestamp` in seconds. */
export interface BlockRef {
  hash: Hex;
  number: number;
  parentHash: Hex;
  timestamp: number;
}

export function refOf({ executionPayload }: PayloadEnvelope): BlockRef {
  return {
    hash: executionPayload.blockHash,
    number: Number(executionPayload.blockNumber),
    parentHash: executionPayload.parentHash,
    timestamp: Number(executionPayload.timestamp),
  };
}

export const ZERO_HASH: Hex = `0x${'00'.repeat(32)}`;

export function toQuantity(value: number): Hex {
  return `0x${value.toString(16)}`;
}

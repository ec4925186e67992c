import { keccak256, stringToBytes, toRlp } from 'viem/utils';
import type { Hex } from 'viem';
import { EMPTY_TRIE_ROOT, orderedTrieRoot } from './ordered-trie.js';
import { refOf, toQuantity, ZERO_HASH, type PayloadEnvelope } from './payload.js';

/** Hash of an empty list of uncles. */
export const EMPTY_UNCLES_HASH: Hex = '0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347';
/** SHA-256 of nothing: what a header says when a block has no execution requests. */
export const EMPTY_REQUESTS_HASH: Hex = '0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
export const ZERO_NONCE: Hex = '0x0000000000000000';

/** What a block's fields imply. */
export interface BlockFacts {
  hash: Hex;
  transactionsRoot: Hex;
  /** Bytes of the whole block in RLP. */
  size: number;
}

/** Computes hash, transactions root and size from a payload's fields, ignoring its own `blockHash`. */
export function factsOf({ executionPayload: payload, parentBeaconBlockRoot }: PayloadEnvelope): BlockFacts {
  const transactions = payload.transactions.map(bytesOf);
  const transactionsRoot = orderedTrieRoot(transactions);
  const isthmus = payload.withdrawalsRoot === undefined ? [] : [EMPTY_REQUESTS_HASH];
  const fields: Hex[] = [
    payload.parentHash,
    EMPTY_UNCLES_HASH,
    payload.feeRecipient,
    payload.stateRoot,
    transactionsRoot,
    payload.receiptsRoot,
    payload.logsBloom,
    '0x', // difficulty
    integer(payload.blockNumber),
    integer(payload.gasLimit),
    integer(payload.gasUsed),
    integer(payload.timestamp),
    payload.extraData,
    payload.prevRandao,
    ZERO_NONCE,
    integer(payload.baseFeePerGas),
    payload.withdrawalsRoot ?? EMPTY_TRIE_ROOT,
    integer(payload.blobGasUsed),
    integer(payload.excessBlobGas),
    parentBeaconBlockRoot,
    ...isthmus,
  ];
  const header = toRlp(fields.map(bytesOf), 'bytes');
  const transactionsSize = withPrefix(transactions.reduce((sum, { length }) => sum + withPrefix(length), 0));
  const emptyLists = 2; // uncles and withdrawals, one byte each
  return {
    hash: keccak256(header),
    transactionsRoot,
    size: withPrefix(header.length + transactionsSize + emptyLists),
  };
}

/** The real hash of the block that a payload describes. */
export function blockHashOf(envelope: PayloadEnvelope): Hex {
  return factsOf(envelope).hash;
}

/** What the sequencer decides about a new block; everything else follows from the parent. */
export interface BlockContent {
  /** Seconds. */
  timestamp: number;
  transactions: Hex[];
  prevRandao: Hex;
}

/** Builds a Jovian block on a parent. There is no state behind it: state and receipts roots are made up. */
export function buildBlock(parent: PayloadEnvelope, content: BlockContent): PayloadEnvelope {
  const above = parent.executionPayload;
  return withHash({
    parentBeaconBlockRoot: parent.parentBeaconBlockRoot,
    executionPayload: {
      ...above,
      ...content,
      parentHash: above.blockHash,
      stateRoot: keccak256(stringToBytes(`state ${above.blockHash} ${content.timestamp}`)),
      receiptsRoot: keccak256(stringToBytes(`receipts ${above.blockHash} ${content.timestamp}`)),
      blockNumber: toQuantity(Number(above.blockNumber) + 1),
      gasUsed: toQuantity(21_000 * content.transactions.length),
      timestamp: toQuantity(content.timestamp),
    },
  });
}

/** A block one second above its parent, empty by default. */
export function childOf(parent: PayloadEnvelope, content: Partial<BlockContent> = {}): PayloadEnvelope {
  const timestamp = refOf(parent).timestamp + 1;
  return buildBlock(parent, { timestamp, prevRandao: ZERO_HASH, transactions: [], ...content });
}

/** This many blocks on a parent, oldest first. Another step makes other blocks. */
export function chainOn(parent: PayloadEnvelope, length: number, stepSeconds = 1): PayloadEnvelope[] {
  const blocks: PayloadEnvelope[] = [];
  for (let above = parent; blocks.length < length; above = blocks.at(-1)!) {
    blocks.push(childOf(above, { timestamp: refOf(above).timestamp + stepSeconds }));
  }
  return blocks;
}

/** The genesis block, the same on every node of a devnet. `genesisTime` in seconds. */
export function genesisBlock(chainId: number, genesisTime: number): PayloadEnvelope {
  return withHash({
    parentBeaconBlockRoot: ZERO_HASH,
    executionPayload: {
      parentHash: ZERO_HASH,
      feeRecipient: '0x4200000000000000000000000000000000000011',
      stateRoot: keccak256(stringToBytes(`genesis of chain ${chainId}`)),
      receiptsRoot: EMPTY_TRIE_ROOT,
      logsBloom: `0x${'00'.repeat(256)}`,
      prevRandao: ZERO_HASH,
      blockNumber: '0x0',
      gasLimit: '0xbebc200',
      gasUsed: '0x0',
      timestamp: toQuantity(genesisTime),
      extraData: '0x01000000fa000000060000000000000000',
      baseFeePerGas: '0xf4240',
      blockHash: ZERO_HASH,
      transactions: [],
      withdrawals: [],
      blobGasUsed: '0x0',
      excessBlobGas: '0x0',
      withdrawalsRoot: keccak256(stringToBytes('message passer')),
    },
  });
}

function withHash(envelope: PayloadEnvelope): PayloadEnvelope {
  const blockHash = blockHashOf(envelope);
  return { ...envelope, executionPayload: { ...envelope.executionPayload, blockHash } };
}

function bytesOf(data: Hex): Uint8Array {
  return Buffer.from(data.slice(2), 'hex');
}

/** A quantity as RLP wants integers: no leading zero digits, nothing at all for zero. */
function integer(quantity: Hex): Hex {
  const digits = quantity.slice(2).replace(/^0+/, '');
  return digits.length % 2 === 0 ? `0x${digits}` : `0x0${digits}`;
}

/** Length in RLP of a string (of more than one byte) or list whose content has that many bytes. */
function withPrefix(length: number): number {
  if (length < 56) return length + 1;
  return length + 1 + Math.ceil(length.toString(16).length / 2);
}

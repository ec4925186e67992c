import { numberToHex, type Hex } from 'viem';
import type { BlockRef } from './chain-check.js';
import { call, callBatch } from './json-rpc.js';
import type { SequencerNode } from './node.js';

interface RawBlock {
  number: Hex;
  hash: Hex;
  parentHash: Hex;
}

const BATCH = 100;

/** The latest block of the node's execution client. */
export async function latestBlock(node: SequencerNode): Promise<BlockRef> {
  return blockRef(await call<RawBlock>(node.executionUrl, 'eth_getBlockByNumber', ['latest', false]));
}

export async function blockByHash(node: SequencerNode, hash: Hex): Promise<BlockRef> {
  return blockRef(await call<RawBlock>(node.executionUrl, 'eth_getBlockByHash', [hash, false]));
}

/** Size of a block. */
export async function blockBytes(node: SequencerNode, hash: Hex): Promise<number> {
  return Number((await call<{ size: Hex }>(node.executionUrl, 'eth_getBlockByHash', [hash, false])).size);
}

/** The canonical blocks from genesis to `to` (inclusive) of the node's execution client. */
export async function canonicalChain(node: SequencerNode, to: number): Promise<BlockRef[]> {
  const blocks: BlockRef[] = [];
  for (let from = 0; from <= to; from += BATCH) {
    const count = Math.min(BATCH, to - from + 1);
    const params = Array.from({ length: count }, (_, offset) => [numberToHex(from + offset), false]);
    const raw = await callBatch<RawBlock | null>(node.executionUrl, 'eth_getBlockByNumber', params);
    blocks.push(...raw.map((block) => blockRef(block ?? { number: '0x0', hash: '0x', parentHash: '0x' })));
  }
  return blocks;
}

/** Makes the node's execution client forget every block above `number`. */
export async function rewind(node: SequencerNode, number: number): Promise<void> {
  if ((await latestBlock(node)).number > number) {
    await call(node.executionUrl, 'debug_setHead', [numberToHex(number)], 20_000);
  }
}

function blockRef({ number, hash, parentHash }: RawBlock): BlockRef {
  return { number: Number(number), hash, parentHash };
}

import { createHash } from 'node:crypto';
import { decodeEnvelope } from '../../../../rpc/payload/decode-envelope.js';
import type { BlockRef } from '../../../../rpc/payload/block-ref.js';
import type { UnsafePayload } from '../../../../rpc/payload/unsafe-payload.js';
import { sampleEnvelope } from '../../../../rpc/server/testing/sample-envelope.js';
import type { L1Ref } from './l1-chain.js';

/** A block of the rollup, as the model's programs see it. */
export interface Block extends BlockRef {
  l1Origin: L1Ref;
  /** Who sealed it. */
  builder: string;
  transactionBytes: number;
}

type NewBlock = Pick<Block, 'timestamp' | 'l1Origin' | 'builder' | 'transactionBytes'>;

/** Every block that was ever sealed anywhere. No two are equal, not even from one builder on one parent. */
export class BlockStore {
  private readonly byHash = new Map<string, Block>();

  /** Seals a block on `parent`, or the first block without one. */
  seal(parent: Block | null, block: NewBlock): Block {
    const number = parent ? parent.number + 1 : 0;
    const parentHash = parent?.hash ?? `0x${'00'.repeat(32)}`;
    const identity = `${number} ${parentHash} ${block.builder} ${this.byHash.size}`;
    const hash = hashOf(identity);
    const sealed = { ...block, number, hash, parentHash };
    this.byHash.set(hash, sealed);
    return sealed;
  }

  /** A block of a chain that no node here has. */
  invent(number: number, block: NewBlock): Block {
    const [hash, parentHash] = [hashOf(`stranger ${this.byHash.size}`), hashOf(`parent ${this.byHash.size}`)];
    const invented = { ...block, number, hash, parentHash };
    this.byHash.set(hash, invented);
    return invented;
  }

  /** @throws Error for a hash that nobody sealed */
  get(hash: string): Block {
    const block = this.byHash.get(hash);
    if (!block) throw new Error(`there is no block ${hash}`);
    return block;
  }

  find(hash: string): Block | undefined {
    return this.byHash.get(hash);
  }

  parentOf(block: Block): Block | null {
    return block.number === 0 ? null : this.get(block.parentHash);
  }

  /** The block of that height on the chain that ends with `head`; undefined above it. */
  ancestorAt(head: Block, number: number): Block | undefined {
    if (number > head.number || number < 0) return undefined;
    let block = head;
    while (block.number > number) block = this.get(block.parentHash);
    return block;
  }

  /** The blocks above `below` up to `head`, which is a descendant of it, in order of height. */
  between(below: Block, head: Block): Block[] {
    const between: Block[] = [];
    for (let block = head; block.number > below.number; block = this.get(block.parentHash))
      between.push(block);
    return between.reverse();
  }

  /** All blocks up to `head`, the newest first. */
  chainOf(head: Block): Block[] {
    const chain: Block[] = [];
    for (let block: Block | null = head; block; block = this.parentOf(block)) chain.push(block);
    return chain;
  }

  /** The highest block that both chains have. @throws Error when they have none in common */
  common(a: Block, b: Block): Block {
    let [x, y] = [a, b];
    while (x.hash !== y.hash) {
      if (x.number >= y.number) x = this.get(x.parentHash);
      else y = this.get(y.parentHash);
    }
    return x;
  }

  /** Whether the chain that ends with `head` has this block. */
  isOn(head: Block, block: BlockRef): boolean {
    return this.ancestorAt(head, block.number)?.hash === block.hash;
  }
}

const hashOf = (identity: string): string => `0x${createHash('sha256').update(identity).digest('hex')}`;

/** As op-node sends it to its conductor. Its hash does not match its content, which the conductor does not check. */
export function payloadOf(block: Block): UnsafePayload {
  return decodeEnvelope(
    sampleEnvelope({
      blockNumber: `0x${block.number.toString(16)}`,
      blockHash: block.hash,
      parentHash: block.parentHash,
      timestamp: `0x${block.timestamp.toString(16)}`,
      transactions: [`0x7e${'00'.repeat(block.transactionBytes)}`],
    }),
  );
}

/** The hash of the block in an envelope that the conductor posts. */
export function hashInEnvelope(envelopeText: string): string {
  const [, hash] = /"blockHash":"(0x[0-9a-f]{64})"/.exec(envelopeText) ?? [];
  if (hash === undefined) throw new Error('an envelope without a block hash');
  return hash;
}

/** Short form for traces and messages. */
export const nameOf = ({ number, hash }: { number: number; hash: string }): string =>
  `${number}:${hash.slice(2, 8)}`;

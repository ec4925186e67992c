import type { BlockId } from '../../rpc/payload/block-ref.js';

/**
 * Committed blocks that the local client was seen to have, fewer the older they are: their distances to the newest one
 * about double. They say where a client left the chain when that is below the retained history, as after an expired
 * sequencing window. All that is lost is the exact height.
 */
export class Anchors {
  /** The newest first. */
  private blocks: BlockId[] = [];

  add(block: BlockId): void {
    if (block.number <= (this.blocks[0]?.number ?? -1)) return;
    const buckets = new Map<number, BlockId>();
    // The oldest of a bucket is the one that is kept, so that blocks grow old at all.
    for (const old of this.blocks) buckets.set(Math.floor(Math.log2(block.number - old.number)), old);
    this.blocks = [block, ...buckets.values()];
  }

  /** Forgets blocks that are committed no more. */
  keepOnly(isCommitted: (block: BlockId) => boolean): void {
    this.blocks = this.blocks.filter(isCommitted);
  }

  /** From the highest down. */
  [Symbol.iterator](): Iterator<BlockId> {
    return this.blocks[Symbol.iterator]();
  }
}

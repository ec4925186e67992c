import type { BlockId } from '../../rpc/payload/block-ref.js';

/**
 * Committed blocks that the local client was seen to have. The older they are, the fewer remain: their distances to the
 * newest one roughly double. They show where a client left the chain when that is below the retained history, as after
 * an expired sequencing window. Only the exact height is lost.
 */
export class Anchors {
  /** Newest first. */
  private blocks: BlockId[] = [];

  add(block: BlockId): void {
    if (block.number <= (this.blocks[0]?.number ?? -1)) return;
    const buckets = new Map<number, BlockId>();
    // The oldest block of a bucket is kept, so that blocks can grow old at all.
    for (const old of this.blocks) buckets.set(Math.floor(Math.log2(block.number - old.number)), old);
    this.blocks = [block, ...buckets.values()];
  }

  /** Forgets blocks that are no longer committed. */
  keepOnly(isCommitted: (block: BlockId) => boolean): void {
    this.blocks = this.blocks.filter(isCommitted);
  }

  /** Highest first. */
  [Symbol.iterator](): Iterator<BlockId> {
    return this.blocks[Symbol.iterator]();
  }
}

import type { Block, BlockStore } from './block-store.js';
import type { L1Block, L1Ref, L1View } from './l1-chain.js';

/**
 * The chain of the rollup that L1 defines: op-node's derivation, as far as batches decide. The blocks of a batch are
 * added in order. A block that does not continue the chain, or whose origin is not on this L1, is dropped.
 *
 * Sequencing windows never expire here: the batcher is always in time, so no empty blocks are derived.
 */
export class Derivation {
  /** By L1 block: the end of the chain derived up to there. */
  private readonly known = new Map<string, Block>();

  constructor(
    private readonly blocks: BlockStore,
    /** Where the derivation begins. */
    private readonly genesis: Block,
  ) {}

  /** The safe head for a node that sees L1 up to this block. */
  safeHead(view: L1View): Block {
    const path: L1Block[] = [];
    let safe: Block | undefined;
    for (let at: L1Block | undefined = view.head; at && !safe; at = view.at(at.number - 1)) {
      safe = this.known.get(keyOf(at));
      if (!safe) path.push(at);
    }
    let head = safe ?? this.genesis;
    for (const l1Block of path.reverse()) {
      head = this.continued(head, l1Block, view);
      this.known.set(keyOf(l1Block), head);
    }
    return head;
  }

  private continued(safe: Block, { number, batch }: L1Block, view: L1View): Block {
    let head = safe;
    for (const hash of batch) {
      const block = this.blocks.get(hash);
      const { l1Origin } = block;
      const isOriginThere = l1Origin.number <= number && view.isPlausible(l1Origin);
      if (block.parentHash === head.hash && isOriginThere) head = block;
    }
    return head;
  }
}

const keyOf = ({ number, branch }: L1Ref): string => `${number} ${branch}`;

import type { BlockRef } from '../../rpc/payload/block-ref.js';

/** A committed block and where in the log its payload is. */
export interface CommittedBlock extends BlockRef {
  logIndex: number;
  /** Length of its payload in bytes. */
  byteLength: number;
}

/** How a block fits the committed chain. */
export type Verdict =
  | { type: 'append' }
  /** The very block is committed already, by itself or as the parent of a committed one. */
  | { type: 'duplicate' }
  /** It is the new head, but blocks below it are missing. */
  | { type: 'gap'; missing: number }
  /** It takes the place of these blocks: of the head, whose commit was never answered; in old logs of any. */
  | { type: 'replacement'; replaced: readonly CommittedBlock[] }
  | { type: 'refused'; reason: string };

/**
 * The chain that the log describes: the retained blocks in order of height, the newest last. A pure reducer, run
 * by every node over the same log.
 */
export class ChainState {
  private blocks: CommittedBlock[] = [];

  get head(): CommittedBlock | undefined {
    return this.blocks.at(-1);
  }

  get oldest(): CommittedBlock | undefined {
    return this.blocks[0];
  }

  blockAt(number: number): CommittedBlock | undefined {
    return this.blocks[this.firstAtOrAbove(number)]?.number === number
      ? this.blocks[this.firstAtOrAbove(number)]
      : undefined;
  }

  /** Hash of the committed block of this height, also when only its child is retained. */
  hashAt(number: number): string | undefined {
    return this.blockAt(number)?.hash ?? this.blockAt(number + 1)?.parentHash;
  }

  /** The blocks above `number` up to the head; undefined when one of them is not retained. */
  blocksAbove(number: number): readonly CommittedBlock[] | undefined {
    const above = this.blocks.slice(this.firstAtOrAbove(number + 1));
    return above.every((block, offset) => block.number === number + 1 + offset) ? above : undefined;
  }

  /**
   * The rules of the chain: what a leader may propose. There is one committed block of each height: what links to
   * committed history below the head is refused as well.
   *
   * @param unanswered hash of a block whose proposer never learned that it is committed. While it is the head, a
   *   sibling may take its place: nobody has published it.
   */
  judge(block: BlockRef, unanswered?: string): Verdict {
    const head = this.head;
    if (!head) return { type: 'append' };
    const { number, hash, parentHash } = block;
    const committed = this.hashAt(number);
    if (committed === hash) return { type: 'duplicate' };
    if (number > head.number + 1) return { type: 'gap', missing: number - head.number - 1 };
    const below = this.hashAt(number - 1);
    if (below === parentHash) {
      if (number === head.number + 1) return { type: 'append' };
      if (number === head.number && head.hash === unanswered)
        return { type: 'replacement', replaced: [head] };
    }
    const theHead = `the committed head is ${head.number} (${head.hash})`;
    let found = `${theHead} and no committed block ${number - 1} is retained to link it to`;
    if (below === parentHash) found = committed ? `the committed block ${number} is ${committed}` : theHead;
    else if (below !== undefined) found = `the committed block ${number - 1} is ${below}`;
    return { type: 'refused', reason: `block ${number} (${hash}) has parent ${parentHash}, but ${found}` };
  }

  /**
   * Applies a committed command. The verdict depends on nothing but the head, which is the same on all nodes,
   * whereas each node retains as much history as its own compaction left.
   *
   * @param replacesHead hash of the head that the proposer meant to replace; undefined for a block that replaces none
   */
  apply(block: CommittedBlock, replacesHead: string | undefined): Verdict {
    const head = this.head;
    const refused = (): Verdict => ({
      type: 'refused',
      reason: `block ${block.number} (${block.hash}) came too late: the head is now ${head?.number} (${head?.hash})`,
    });
    if (head?.hash === block.hash) return { type: 'duplicate' };
    if (replacesHead !== undefined) {
      if (head?.hash !== replacesHead || block.number > head.number) return refused();
      const replaced = this.blocks.splice(this.firstAtOrAbove(block.number));
      this.blocks.push(block);
      return { type: 'replacement', replaced };
    }
    if (head && block.number <= head.number) return refused();
    if (head && block.number === head.number + 1 && block.parentHash !== head.hash) return refused();
    this.blocks.push(block);
    const missing = head ? block.number - head.number - 1 : 0;
    return missing > 0 ? { type: 'gap', missing } : { type: 'append' };
  }

  /** Forgets blocks whose payload left the log; the head stays. */
  dropUpTo(logIndex: number): void {
    const head = this.head;
    this.blocks = this.blocks.filter((block) => block.logIndex > logIndex || block === head);
  }

  reset(head: CommittedBlock | undefined): void {
    this.blocks = head ? [head] : [];
  }

  private firstAtOrAbove(number: number): number {
    let low = 0;
    let high = this.blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.blocks[middle] as CommittedBlock).number < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

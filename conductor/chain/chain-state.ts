import type { BlockId, BlockRef } from '../../rpc/payload/block-ref.js';
import type { ResetRequest } from './reset.js';

/** A committed block, and where the log has its payload. */
export interface CommittedBlock extends BlockRef {
  logIndex: number;
  /** Length of its payload in bytes. */
  byteLength: number;
}

/** The head after a reset to a block whose payload is not in the retained history. */
export interface BareHead extends BlockId {
  /** Where the reset is in the log. */
  logIndex: number;
  parentHash?: undefined;
  timestamp?: undefined;
  byteLength?: undefined;
}

export type CommittedHead = CommittedBlock | BareHead;

/** Whether the block is known in full, and its payload is in the log. */
export const hasPayload = (head: CommittedHead): head is CommittedBlock => head.parentHash !== undefined;

/** How a command fits the committed chain. */
export type Verdict =
  | { type: 'append' }
  /** This same block is already committed, by itself or as the parent of a committed one. */
  | { type: 'duplicate' }
  /** It is the new head, but blocks below it are missing. */
  | { type: 'gap'; missing: number }
  /** It replaces these blocks: the head, whose commit was never answered; in old logs, any. */
  | { type: 'replacement'; replaced: readonly CommittedHead[] }
  /** The head was taken back by this many heights. */
  | { type: 'reset'; reset: ResetRequest; depth: number }
  | { type: 'refused'; reason: string };

/**
 * The chain that the log describes: the retained blocks in order of height, the newest last. A pure reducer, which every
 * node runs over the same log.
 */
export class ChainState {
  /** Only the first one may be bare. */
  private blocks: CommittedHead[] = [];

  get head(): CommittedHead | undefined {
    return this.blocks.at(-1);
  }

  get oldest(): CommittedHead | undefined {
    return this.blocks[0];
  }

  /** The committed block of this height, if its payload is retained. */
  blockAt(number: number): CommittedBlock | undefined {
    const found = this.headAt(number);
    return found && hasPayload(found) ? found : undefined;
  }

  /** Hash of the committed block of this height, even if only its child is retained. */
  hashAt(number: number): string | undefined {
    return this.headAt(number)?.hash ?? this.headAt(number + 1)?.parentHash;
  }

  /** The blocks above `number` up to the head; undefined when one of them is not retained. */
  blocksAbove(number: number): readonly CommittedBlock[] | undefined {
    const above = this.blocks.slice(this.firstAtOrAbove(number + 1));
    const retained = above.filter(hasPayload);
    const isWhole = retained.length === above.length;
    return isWhole && retained.every((block, offset) => block.number === number + 1 + offset)
      ? retained
      : undefined;
  }

  /**
   * The rules of the chain: what a leader may propose. Each height has one committed block, so a block that links to
   * committed history below the head is refused as well.
   *
   * @param unanswered hash of a block whose proposer never learned that it is committed. While it is the head, a
   *   sibling may replace it, because nobody has published it.
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
   * Applies a committed command. The verdict depends only on the head, which is the same on all nodes. The retained
   * history is not: it depends on each node's own compaction.
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

  /**
   * Applies a committed reset. As with blocks, the verdict depends only on the head. Whether the payload of the new head is
   * available depends on what this node retains.
   */
  applyReset(reset: ResetRequest, logIndex: number): Verdict {
    const { head } = this;
    const { from, to } = reset;
    if (head?.hash !== from.hash || to.number >= head.number) {
      return {
        type: 'refused',
        reason:
          `the reset from ${from.number} (${from.hash}) to ${to.number} (${to.hash}) came too late: ` +
          `the head is now ${head?.number} (${head?.hash})`,
      };
    }
    const known = this.headAt(to.number);
    if (known?.hash === to.hash) this.blocks.splice(this.firstAtOrAbove(to.number + 1));
    else this.blocks = [{ ...to, logIndex }];
    return { type: 'reset', reset, depth: head.number - to.number };
  }

  /**
   * Forgets blocks whose payload has left the log. The head stays.
   *
   * @param kept hash of the block of the snapshot, whose payload is kept. It is the head unless a reset went below
   *   it.
   */
  dropUpTo(logIndex: number, kept = this.head?.hash): void {
    const { head } = this;
    this.blocks = this.blocks.filter((block) => block.logIndex > logIndex || block === head);
    if (!head || head.logIndex > logIndex || head.hash === kept) return;
    const { number, hash } = head;
    this.blocks.splice(-1, 1, { number, hash, logIndex: head.logIndex });
  }

  /** From now on, knows only this head and nothing before it. */
  startFrom(head: CommittedHead | undefined): void {
    this.blocks = head ? [head] : [];
  }

  private headAt(number: number): CommittedHead | undefined {
    const found = this.blocks[this.firstAtOrAbove(number)];
    return found?.number === number ? found : undefined;
  }

  private firstAtOrAbove(number: number): number {
    let low = 0;
    let high = this.blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.blocks[middle] as CommittedHead).number < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

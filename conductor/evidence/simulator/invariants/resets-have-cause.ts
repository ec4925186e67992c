import { nameOf, type Block } from '../chain/block-store.js';
import type { Acknowledged } from '../ledger.js';
import { broken, type Evidence, type Invariant } from './invariant.js';

/**
 * After a reset, other blocks replace acknowledged ones only if L1 has taken back their origin, because then nobody
 * could keep them. Blocks that are in the log or in a client still count when other clients lost them.
 */
export class ResetsHaveCause implements Invariant {
  readonly name = 'resets-have-cause';
  private readonly byHeight = new Map<number, Block>();

  constructor(private readonly evidence: Evidence) {}

  published({ block, nodeId }: Acknowledged): void {
    const before = this.byHeight.get(block.number);
    this.byHeight.set(block.number, block);
    if (!before || before.hash === block.hash || this.isTakenBack(before, block)) return;
    broken(
      this,
      `${nodeId} publishes ${nameOf(block)} in the place of ${nameOf(before)}, whose L1 origin stands`,
    );
  }

  /** Whether L1 has replaced the origin of `old`, or of a block below it that is not below `fresh`. */
  private isTakenBack(old: Block, fresh: Block): boolean {
    const { blocks, l1 } = this.evidence;
    for (let block: Block | null = old; block && !blocks.isOn(fresh, block); block = blocks.parentOf(block)) {
      if (!l1.isPlausible(block.l1Origin)) return true;
    }
    return false;
  }
}

import { nameOf } from '../chain/block-store.js';
import type { Acknowledged } from '../ledger.js';
import { broken, type Evidence, type Invariant } from './invariant.js';

/**
 * Each height has one acknowledged payload in the whole history, unless a reset came between two in the log. A block is
 * published as soon as it is acknowledged, so everybody who follows the chain has seen it and acted upon it.
 */
export class OnePerHeight implements Invariant {
  readonly name = 'one-per-height';
  private readonly byHeight = new Map<number, Acknowledged[]>();

  constructor(private readonly evidence: Evidence) {}

  published(acknowledged: Acknowledged): void {
    const { block, nodeId } = acknowledged;
    const before = this.byHeight.get(block.number) ?? [];
    const other = before.find(
      (one) => one.block.hash !== block.hash && !this.isResetBetween(one, acknowledged),
    );
    if (other) {
      broken(
        this,
        `${nodeId} was allowed to publish ${nameOf(block)}, but ${other.nodeId} had published ${nameOf(other.block)}`,
      );
    }
    this.byHeight.set(block.number, [...before, acknowledged]);
  }

  private isResetBetween(a: Acknowledged, b: Acknowledged): boolean {
    const [first, last] = [Math.min(a.logIndex, b.logIndex), Math.max(a.logIndex, b.logIndex)];
    return this.evidence.ledger.resets.some(
      ({ index, to }) => index > first && index < last && to < a.block.number,
    );
  }
}

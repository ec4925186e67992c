import { nameOf } from '../chain/block-store.js';
import type { Applied } from '../ledger.js';
import { broken, type Evidence, type Invariant } from './invariant.js';

/**
 * A reset takes back only what L1 took back first: then the blocks cannot be kept by anybody. Acknowledged blocks that are
 * in the log, or in a client, are no less worth because other clients have lost them.
 */
export class ResetsHaveCause implements Invariant {
  readonly name = 'resets-have-cause';

  constructor(private readonly evidence: Evidence) {}

  applied(nodeId: string, applied: Applied, first: Applied): void {
    const { head, index } = applied;
    if (applied.verdict !== 'reset' || first !== applied || !head) return;
    const { ledger, l1 } = this.evidence;
    const lowest = ledger.acknowledged
      .filter(({ block, logIndex }) => logIndex < index && block.number === head.number + 1)
      .find((one) => ledger.resets.every((reset) => reset.index === index || reset.index < one.logIndex));
    if (!lowest || !l1.isPlausible(lowest.block.l1Origin)) return;
    broken(this, `${nodeId} applies a reset that takes back ${nameOf(lowest.block)}, whose L1 origin stands`);
  }
}

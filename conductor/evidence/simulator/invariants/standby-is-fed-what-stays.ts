import { nameOf, type Block } from '../chain/block-store.js';
import { broken, type Evidence, type Invariant, type Observed } from './invariant.js';

/** A leader that has just stepped down may still be posting what it needed for a start. */
const STEPPED_BACK_MS = 500;

/**
 * A standby is posted only blocks that can no longer be replaced, which a committed child proves. op-node drops a
 * second block of a height, so a node with the wrong one follows nobody until L1 decides.
 */
export class StandbyIsFedWhatStays implements Invariant {
  readonly name = 'standby-is-fed-what-stays';

  constructor(private readonly evidence: Evidence) {}

  posted({ nodeId, role, roleSinceMs, committedHead }: Observed, block: Block): void {
    const { nowMs } = this.evidence;
    if (role !== 'follower' || nowMs - roleSinceMs < STEPPED_BACK_MS) return;
    if (committedHead && committedHead.number > block.number) return;
    broken(this, `the standby ${nodeId} is posted ${nameOf(block)}, which may still be replaced`);
  }
}

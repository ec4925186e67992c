import { nameOf } from '../chain/block-store.js';
import { broken, type Evidence, type Invariant } from './invariant.js';

/** A healthy node may still wait for the newest blocks. */
const WAITING_MAX = 8;

/**
 * In the end every healthy node has every acknowledged block in its canonical chain, unless a reset took it back. An
 * acknowledged block that is in no chain is lost, with all its transactions.
 */
export class NothingLost implements Invariant {
  readonly name = 'nothing-lost';

  constructor(private readonly evidence: Evidence) {}

  atEnd(): void {
    const { ledger, blocks, sound } = this.evidence;
    const highest = ledger.highest?.block.number ?? 0;
    for (const { nodeId, head } of sound) {
      const own = new Set(blocks.chainOf(head).map(({ hash }) => hash));
      for (const { block, nodeId: publisher } of ledger.standing) {
        if (block.number > head.number || own.has(block.hash)) continue;
        broken(
          this,
          `${nodeId} does not have ${nameOf(block)}, which ${publisher} published; it is at ${nameOf(head)}`,
        );
      }
      if (highest - head.number > WAITING_MAX) {
        broken(this, `${nodeId} stays at ${nameOf(head)}, while blocks up to ${highest} are published`);
      }
    }
  }
}

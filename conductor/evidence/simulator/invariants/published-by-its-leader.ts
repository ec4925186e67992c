import { nameOf } from '../chain/block-store.js';
import type { Acknowledged } from '../ledger.js';
import { broken, type Evidence, type Invariant } from './invariant.js';

/**
 * A node publishes only what it committed, as leader, in the term of that leadership. Otherwise two sequencers could
 * publish at the same time, each with the consent of a conductor.
 */
export class PublishedByItsLeader implements Invariant {
  readonly name = 'published-by-its-leader';

  constructor(private readonly evidence: Evidence) {}

  published({ block, nodeId }: Acknowledged): void {
    const { ledger } = this.evidence;
    const entries = ledger.entriesOf(block.hash).filter(({ verdict }) => verdict !== 'refused');
    if (entries.length === 0) broken(this, `${nodeId} publishes ${nameOf(block)}, which is not committed`);
    if (entries.some(({ term }) => ledger.leaderOf(term) === nodeId)) return;
    const terms = entries.map(({ term }) => `${ledger.leaderOf(term)} in term ${term}`).join(', ');
    broken(this, `${nodeId} publishes ${nameOf(block)}, which was committed by ${terms}`);
  }
}

import type { Acknowledged } from '../ledger.js';
import { broken, type Evidence, type Invariant, type Observed } from './invariant.js';

/** A witness publishes nothing and calls no node: it has none, so calls would only cost time. */
export class WitnessOnlyVotes implements Invariant {
  readonly name = 'witness-only-votes';

  constructor(private readonly evidence: Evidence) {}

  called({ nodeId, isWitness }: Observed): void {
    if (isWitness) broken(this, `${nodeId} is a witness, and asks a node that is not there`);
  }

  published({ nodeId }: Acknowledged): void {
    const publisher = this.evidence.machines.find((machine) => machine.nodeId === nodeId);
    if (publisher?.isWitness) broken(this, `${nodeId} is a witness, and publishes`);
  }
}

import { nameOf, type Block } from '../chain/block-store.js';
import { broken, type Evidence, type Invariant, type Observed } from './invariant.js';

/** What an earlier process has asked of op-node may still be under way. */
const UNDER_WAY_MS = 3000;

/** A conductor that belongs to no cluster leaves its node alone: it knows of nobody else who sequences. */
export class StrangersRest implements Invariant {
  readonly name = 'strangers-rest';

  constructor(private readonly evidence: Evidence) {}

  started(node: Observed, head: Block): void {
    this.demandRest(node, `starts its sequencer on ${nameOf(head)}`);
  }

  stopped(node: Observed): void {
    this.demandRest(node, 'stops its sequencer');
  }

  posted(node: Observed, block: Block): void {
    this.demandRest(node, `posts ${nameOf(block)}`);
  }

  private demandRest({ nodeId, process, strangerSinceMs }: Observed, what: string): void {
    const isFirstProcess = process === 1;
    if (strangerSinceMs === undefined) return;
    if (!isFirstProcess && this.evidence.nowMs - strangerSinceMs < UNDER_WAY_MS) return;
    broken(this, `${nodeId} belongs to no cluster, and ${what}`);
  }
}

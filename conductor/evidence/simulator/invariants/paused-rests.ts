import { nameOf, type Block } from '../chain/block-store.js';
import { broken, type Evidence, type Invariant, type Observed } from './invariant.js';

/** Calls to op-node from before the pause may still be in progress. */
const UNDER_WAY_MS = 3000;

/** A conductor that an operator has paused does not touch its node, which may be under repair. */
export class PausedRests implements Invariant {
  readonly name = 'paused-rests';

  constructor(private readonly evidence: Evidence) {}

  started(node: Observed, head: Block): void {
    this.demandRest(node, `starts its sequencer on ${nameOf(head)}`);
  }

  stopped(node: Observed): void {
    // A halt is about every sequencer.
    if (!node.isHalted) this.demandRest(node, 'stops its sequencer');
  }

  posted(node: Observed, block: Block): void {
    this.demandRest(node, `posts ${nameOf(block)}`);
  }

  private demandRest({ nodeId, pausedSinceMs }: Observed, what: string): void {
    if (pausedSinceMs === undefined || this.evidence.nowMs - pausedSinceMs < UNDER_WAY_MS) return;
    broken(this, `${nodeId} is paused, and ${what}`);
  }
}

import { nameOf, type Block } from '../chain/block-store.js';
import { broken, type Evidence, type Invariant, type Observed } from './invariant.js';

/** What was asked of op-node before the halt was known may still be under way. */
const UNDER_WAY_MS = 3000;
/** op-node may be at its last block, and is told again if that is lost. */
const STOPPED_WITHIN_MS = 10_000;

/** While operators have halted the cluster, no conductor that knows of it starts a sequencer, or lets one run for long. */
export class HaltedRests implements Invariant {
  readonly name = 'halted-rests';
  /** Since when each node knows of the halt. */
  private readonly knownSinceMs = new Map<string, number>();
  /** Since when each runs against it, although its conductor could stop it. */
  private readonly runsSinceMs = new Map<string, number>();

  constructor(private readonly evidence: Evidence) {}

  started({ nodeId }: Observed, head: Block): void {
    const sinceMs = this.knownSinceMs.get(nodeId);
    if (sinceMs === undefined || this.evidence.nowMs - sinceMs < UNDER_WAY_MS) return;
    broken(this, `${nodeId} knows that the cluster is halted, and starts its sequencer on ${nameOf(head)}`);
  }

  called({ nodeId, isHalted, sequences, couldSequence }: Observed): void {
    note(this.knownSinceMs, nodeId, isHalted, this.evidence.nowMs);
    note(this.runsSinceMs, nodeId, isHalted && sequences && couldSequence, this.evidence.nowMs);
    const runsMs = this.evidence.nowMs - (this.runsSinceMs.get(nodeId) ?? Infinity);
    if (runsMs > STOPPED_WITHIN_MS) {
      broken(this, `${nodeId} knows that the cluster is halted, and its sequencer runs for ${runsMs} ms`);
    }
  }
}

function note(sinceMs: Map<string, number>, nodeId: string, isSo: boolean, nowMs: number): void {
  if (!isSo) sinceMs.delete(nodeId);
  else if (!sinceMs.has(nodeId)) sinceMs.set(nodeId, nowMs);
}

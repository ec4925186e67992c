import { nameOf, type Block } from '../chain/block-store.js';
import { broken, type Evidence, type Invariant, type Observed } from './invariant.js';

/** op-node has two seconds to answer. Then the conductor asks it for the result. */
const KNOWN_WITHIN_MS = 6000;

interface Start {
  head: Block;
  atMs: number;
  /** The conductor that requested it. */
  process: number | undefined;
}

/**
 * A conductor that has started a sequencer learns of it. The rest of a start comes after the answer: waking op-node up, and
 * measuring the branch from its head.
 */
export class StartsAreKnown implements Invariant {
  readonly name = 'starts-are-known';
  private readonly unknown = new Map<string, Start>();

  constructor(private readonly evidence: Evidence) {}

  started({ nodeId, process }: Observed, head: Block): void {
    this.unknown.set(nodeId, { head, atMs: this.evidence.nowMs, process });
  }

  startKnown(nodeId: string): void {
    this.unknown.delete(nodeId);
  }

  stopped({ nodeId }: Observed): void {
    this.unknown.delete(nodeId);
  }

  atEnd(): void {
    const { nowMs, sound } = this.evidence;
    for (const { nodeId, process, sequences, role } of sound) {
      const start = this.unknown.get(nodeId);
      if (!start || start.process !== process || !sequences || role !== 'leader') continue;
      if (nowMs - start.atMs < KNOWN_WITHIN_MS) continue;
      broken(this, `${nodeId} does not know that it has started its sequencer on ${nameOf(start.head)}`);
    }
  }
}

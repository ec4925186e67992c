import { broken, type Invariant, type Observed } from './invariant.js';

/**
 * A conductor that is told to end leaves no sequencer behind, as long as its op-node does what it is told: nobody commits
 * the blocks of such a sequencer, and its node follows nobody.
 */
export class EndsQuietly implements Invariant {
  readonly name = 'ends-quietly';

  retired({ nodeId, pausedSinceMs, sequences, obeys }: Observed): void {
    if (sequences && obeys && pausedSinceMs === undefined)
      broken(this, `${nodeId}'s conductor has ended, and its op-node sequences`);
  }
}

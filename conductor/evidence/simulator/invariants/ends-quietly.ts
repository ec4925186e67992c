import { broken, type Invariant, type Observed } from './invariant.js';

/**
 * A leader that shuts down tells its op-node to stop, even if it believes that its sequencer is stopped. Nobody would
 * commit the blocks of a sequencer that is left running, and its node would follow nobody.
 */
export class EndsQuietly implements Invariant {
  readonly name = 'ends-quietly';

  leftUntold({ nodeId, pausedSinceMs, sequences }: Observed): void {
    if (sequences && pausedSinceMs === undefined)
      broken(this, `${nodeId}'s conductor has ended, and its op-node sequences and was not told to stop`);
  }
}

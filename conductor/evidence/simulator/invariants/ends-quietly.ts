import { broken, type Invariant, type Observed } from './invariant.js';

/**
 * A leader that is told to end tells its op-node to stop, whatever it believes of its sequencer: nobody would commit the
 * blocks of one that is left behind, and its node would follow nobody.
 */
export class EndsQuietly implements Invariant {
  readonly name = 'ends-quietly';

  leftUntold({ nodeId, pausedSinceMs, sequences }: Observed): void {
    if (sequences && pausedSinceMs === undefined)
      broken(this, `${nodeId}'s conductor has ended, and its op-node sequences and was not told to stop`);
  }
}

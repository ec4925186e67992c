import { broken, type Evidence, type Invariant } from './invariant.js';

/** op-node may still be building its last block, and is polled four times a second. */
const STOPPED_WITHIN_MS = 5000;

/**
 * Once all is calm, only the leader's sequencer runs. Another one publishes nothing, since its conductor does not
 * commit, but its node follows nobody and so is not a standby.
 *
 * A conductor that was restarted and cannot get the log does not know whether its member is paused. Until it does, it
 * leaves its node alone on purpose: an operator may be repairing it.
 */
export class SequencersStop implements Invariant {
  readonly name = 'sequencers-stop';

  constructor(private readonly evidence: Evidence) {}

  atEnd(): void {
    const { sound, nowMs } = this.evidence;
    for (const { nodeId, role, roleSinceMs, pausedSinceMs, knowsLog, sequences } of sound) {
      if (!knowsLog || role !== 'follower' || nowMs - roleSinceMs < STOPPED_WITHIN_MS || !sequences) continue;
      if (pausedSinceMs === undefined) broken(this, `${nodeId} follows, and its op-node sequences`);
    }
  }
}

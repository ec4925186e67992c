import type { Logger } from 'pino';
import type { CallOptions } from '../../rpc/clients/json-rpc-client.js';

interface StrayOptions {
  raft: { status(): { role: string } };
  localNode: {
    readonly state: { readonly sequencerActive: boolean | null };
    /** `otherBranch`: the client has other blocks than the committed ones, and which. */
    readonly branch: { readonly otherBranch: string | undefined };
  };
  /** The reset of its pipeline makes op-node look at L1 again, and leave blocks that do not derive from it. */
  opNode: { resetPipeline(options: CallOptions): Promise<void> };
  logger: Logger;
}

const LOOK_EVERY_MS = 3000;
const LOOKS_MAX = 20;
const CALL_TIMEOUT_MS = 10_000;

/**
 * Brings a standby back that was given a block just before the committed head was reset below it. Its op-node has left
 * that block once already, with the others, and does not look at L1 again by itself; what is built instead does not fit
 * its head, so it would drop that for good.
 *
 * One request to op-node for each reset of the head: asked again and again, it would never get on with deriving.
 */
export class StrayAfterReset {
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: StrayOptions) {}

  /** The committed head was reset. Looks for a minute whether this node stays behind on the other branch. */
  headWasReset(): void {
    this.end();
    let looks = 0;
    this.timer = setInterval(() => {
      looks += 1;
      const { isStray } = this;
      if (isStray) this.bringBack();
      if (isStray || looks >= LOOKS_MAX) this.end();
    }, LOOK_EVERY_MS);
    // It keeps no process alive that has nothing else to do.
    this.timer.unref();
  }

  /** A leader is brought to the committed head before its sequencer is started. */
  private get isStray(): boolean {
    const { raft, localNode } = this.options;
    const isStandby = raft.status().role === 'follower' && localNode.state.sequencerActive === false;
    return isStandby && localNode.branch.otherBranch !== undefined;
  }

  private bringBack(): void {
    const { opNode, logger } = this.options;
    logger.warn('the local node stays on a branch that was taken back: resetting the pipeline of op-node');
    opNode
      .resetPipeline({ timeoutMs: CALL_TIMEOUT_MS })
      .catch((error: Error) => logger.warn({ reason: error.message }, 'op-node did not reset its pipeline'));
  }

  private end(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }
}

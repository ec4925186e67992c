import type { Logger } from 'pino';
import type { RaftNode } from '../../raft/index.js';
import type { Action } from './decide.js';
import { Fitness } from './eligibility.js';
import type { LocalSequencer } from './local-sequencer.js';
import type { Succession } from './succession.js';

/** Who is to lead, and how. */
export type TransferTarget = Omit<Extract<Action, { type: 'transfer' }>, 'type'>;

interface HandOverOptions {
  raft: Pick<RaftNode<unknown>, 'status' | 'transferLeadership'>;
  sequencer: Pick<LocalSequencer, 'stop' | 'abandon'>;
  succession: Succession;
  logger: Logger;
}

/** Gives leadership away, after the sequencer has ended its block where that is possible. */
export class HandOver {
  constructor(private readonly options: HandOverOptions) {}

  /**
   * To the member that was decided on. Returns why it failed, or undefined; a member to which it failed comes after all
   * others for a while.
   */
  async to(action: TransferTarget, signal: AbortSignal): Promise<string | undefined> {
    const { raft, sequencer, succession, logger } = this.options;
    if (action.sequencer !== 'leave') {
      const stopping =
        action.sequencer === 'abandon' ? sequencer.abandon(action.reason, signal) : sequencer.stop(signal);
      await this.ifPossible(stopping, 'the sequencer could not be stopped before the transfer');
      // It may have been the decision itself that was withdrawn meanwhile.
      signal.throwIfAborted();
    }
    const outcome = await raft.transferLeadership(action.to);
    logger.info({ to: action.to, reason: action.reason, ...outcome }, 'leadership transfer');
    // Leadership that is on its way or gone is what was wanted.
    if (outcome.outcome === 'done' || outcome.reason === 'transfer-in-progress' || !this.leads)
      return undefined;
    succession.avoid(action.to);
    return outcome.reason;
  }

  /** For good: this node is about to end. */
  async atTheEnd({ stopFirst }: { stopFirst: boolean }): Promise<void> {
    const { raft, succession, logger } = this.options;
    if (stopFirst) {
      const stopping = this.options.sequencer.stop(new AbortController().signal);
      await this.ifPossible(stopping, 'the sequencer could not be stopped');
    }
    if (!this.leads) return;
    const inTurn = succession.inOrderOfTrial({ stuck: false });
    const fit = inTurn.find(({ fitness }) => fitness === Fitness.fit);
    const to = (fit ?? succession.successors()[0])?.id;
    const outcome = await raft.transferLeadership(to);
    logger.info({ to, ...outcome }, 'leadership handed over');
  }

  private get leads(): boolean {
    return this.options.raft.status().role === 'leader';
  }

  private ifPossible(stopping: Promise<void>, otherwise: string): Promise<void> {
    const { logger } = this.options;
    return stopping.catch((error: Error) => logger.warn({ reason: error.message }, otherwise));
  }
}

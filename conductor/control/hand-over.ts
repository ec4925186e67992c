import type { Logger } from 'pino';
import type { Outcome, RaftNode } from '../../raft/index.js';
import type { HandOverCause } from './control-events.js';
import { HAND_BACK, type Action, type Successor } from './decide.js';
import { Fitness } from './eligibility.js';
import type { LocalSequencer } from './local-sequencer.js';
import type { Succession } from './succession.js';

/** Which member is to lead, and how. */
export type TransferTarget = Omit<Extract<Action, { type: 'transfer' }>, 'type'>;

interface HandOverOptions {
  raft: Pick<RaftNode<unknown>, 'status' | 'prepareTransfer' | 'transferLeadership'>;
  sequencer: Pick<LocalSequencer, 'stop' | 'abandon'>;
  succession: Succession;
  /** Told before each attempt, while the log can still take it. */
  announce: (to: string | null, cause: HandOverCause) => void;
  logger: Logger;
}

/** How many members may take time to catch up before a node ends without a hand-over. */
const TRIALS_AT_THE_END = 2;

/** Gives leadership away, after the sequencer has ended its block where that is possible. */
export class HandOver {
  constructor(private readonly options: HandOverOptions) {}

  /**
   * To the chosen member. Returns why it failed, or undefined; after a failure, that member does not count as fitter
   * for some time. The sequencer goes on until that member has the whole log, so a transfer that cannot succeed costs
   * no block.
   */
  async to(action: TransferTarget, signal: AbortSignal): Promise<string | undefined> {
    const { raft, sequencer, announce } = this.options;
    const { to, reason } = action;
    announce(to, { type: reason === HAND_BACK ? 'hand-back' : 'unhealthy', reason });
    if (action.sequencer === 'stop') {
      const prepared = await raft.prepareTransfer(to, signal);
      signal.throwIfAborted();
      if (prepared.outcome !== 'done') return this.outcomeOf(action, prepared);
      await this.ifPossible(sequencer.stop(signal), 'the sequencer could not be stopped before the transfer');
    } else if (action.sequencer === 'abandon') {
      await this.ifPossible(
        sequencer.abandon(reason, signal),
        'the sequencer could not be stopped before the transfer',
      );
    }
    // The decision itself may have been withdrawn meanwhile.
    signal.throwIfAborted();
    return this.outcomeOf(action, await raft.transferLeadership(to));
  }

  /** For good: this node is about to end. @param reason why */
  async atTheEnd({ stopFirst, reason }: { stopFirst: boolean; reason: string }): Promise<void> {
    const { raft, sequencer, announce, logger } = this.options;
    const { signal } = new AbortController();
    if (this.leads) announce(this.successorsAtTheEnd()[0] ?? null, { type: 'shutdown', reason });
    const prepared = stopFirst && this.leads ? await this.preparedSuccessor(signal) : undefined;
    if (stopFirst) await this.ifPossible(sequencer.stop(signal), 'the sequencer could not be stopped');
    if (!this.leads) return;
    const to = prepared ?? this.successorsAtTheEnd()[0];
    const outcome = await raft.transferLeadership(to);
    if (outcome.outcome === 'done') return logger.info({ to, reason }, 'leadership transferred');
    if (outcome.reason === 'no-such-member') return logger.info('no other voter to transfer leadership to');
    logger.warn({ to, ...outcome }, 'leadership was not transferred');
  }

  /** The first one that gets the whole log while blocks still flow; undefined if none does. */
  private async preparedSuccessor(signal: AbortSignal): Promise<string | undefined> {
    for (const id of this.successorsAtTheEnd().slice(0, TRIALS_AT_THE_END)) {
      const { outcome } = await this.options.raft.prepareTransfer(id, signal);
      if (outcome === 'done') return id;
    }
    return undefined;
  }

  /** The fit ones first. */
  private successorsAtTheEnd(): string[] {
    const inTurn = this.options.succession.inOrderOfTrial({ stuck: false });
    const isFit = ({ fitness }: Successor): boolean => fitness === Fitness.fit;
    const others = this.options.succession.successors().filter((one) => !isFit(one));
    return [...inTurn.filter(isFit), ...others].map(({ id }) => id);
  }

  private outcomeOf({ to, reason }: TransferTarget, outcome: Outcome<object>): string | undefined {
    const { succession, logger } = this.options;
    logger.info({ to, reason, ...outcome }, 'leadership transfer');
    // Leadership that is on its way or gone is the wanted result.
    if (outcome.outcome === 'done' || outcome.reason === 'transfer-in-progress' || !this.leads)
      return undefined;
    succession.avoid(to);
    return outcome.reason;
  }

  private get leads(): boolean {
    return this.options.raft.status().role === 'leader';
  }

  private ifPossible(stopping: Promise<void>, otherwise: string): Promise<void> {
    const { logger } = this.options;
    return stopping.catch((error: Error) => logger.warn({ reason: error.message }, otherwise));
  }
}

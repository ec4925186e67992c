import { EventEmitter } from 'node:events';
import type { HealthMonitor } from '../../health/health-monitor.js';
import { isUnhealthyFor, type HealthReport } from '../../health/health-report.js';
import type { RaftNode } from '../../raft/index.js';
import type { RaftNodeEvents } from '../../raft/index.js';
import type { OpNodeClient } from '../../rpc/clients/op-node-client.js';
import type { ChainState } from '../chain/chain-state.js';
import { sameState, type ControlEvents, type State } from './control-events.js';
import { ControlLoop } from './control-loop.js';
import type { Action, View } from './decide.js';
import { encodeEligibility, fitness, Fitness, Strikes } from './eligibility.js';
import { HealthLog } from './health-log.js';
import { withNodePoll } from './node-poll-health.js';
import { LagTracker } from './lag-tracker.js';
import type { LocalNode } from './local-node.js';
import { LocalSequencer, type LocalSequencerOptions } from './local-sequencer.js';
import type { Succession } from './succession.js';
import type { Switches } from './switches.js';

type Transfer = Extract<Action, { type: 'transfer' }>;

/** How long things of the control loop may take. */
export interface ControlTimes extends Pick<LocalSequencerOptions, 'callTimeoutMs' | 'catchUpTimeoutMs'> {
  /** How long an active sequencer's head may stand still before an old head counts against it. */
  progressGraceMs: number;
  /** A leader whose chain does not move for this long lets another node try. */
  stuckAfterMs: number;
}

interface ControllerOptions extends Omit<LocalSequencerOptions, 'readBarrier'>, ControlTimes {
  raft: Pick<RaftNode<unknown>, 'status' | 'setEligibility' | 'readBarrier' | 'transferLeadership'> &
    EventEmitter<RaftNodeEvents>;
  chain: Pick<ChainState, 'head'>;
  opNode: LocalSequencerOptions['opNode'] & Pick<OpNodeClient, 'sequencerActive'>;
  localNode: LocalNode;
  health: Pick<HealthMonitor, 'latest' | 'probeNow'>;
  succession: Succession;
  switches: Switches;
}

/**
 * Controls one node: knows what is going on here and in the cluster, lets `decide` choose, and does it.
 */
export class Controller extends EventEmitter<ControlEvents> {
  private leaderSinceMs = -Infinity;
  private readonly lag = new LagTracker();
  private readonly sequencer: LocalSequencer;
  private readonly loop: ControlLoop;
  private readonly healthLog: HealthLog;
  private lastState: State | undefined;
  /** Local head that was already a reason for a health check out of turn. */
  private checkedNumber = -1;

  constructor(private readonly options: ControllerOptions) {
    super();
    const { raft, localNode, logger } = options;
    this.sequencer = new LocalSequencer({ ...options, readBarrier: () => raft.readBarrier() });
    this.sequencer.on('started', (wasStopped) => this.emit('sequencerStarted', wasStopped));
    this.sequencer.on('stopped', (wasRunning) => this.emit('sequencerStopped', wasRunning));
    this.healthLog = new HealthLog(logger);
    this.loop = new ControlLoop(
      { view: () => this.view(), run: (action, signal) => this.run(action, signal) },
      logger,
      (durationMs) => this.emit('turn', durationMs),
    );
    raft.on('role', () => this.roleChanged());
    raft.on('leaderReady', () => this.roleChanged());
    raft.on('applied', () => this.changed());
    localNode.on('polled', () => this.changed());
  }

  /** Everything that is known of the local node's health; as op-conductor: healthy until the first check has spoken. */
  get isHealthy(): boolean {
    const { health, localNode } = this.options;
    return withNodePoll(health.latest(), localNode)?.healthy ?? true;
  }

  /** The health of the local node was checked. */
  healthChanged(report: HealthReport): void {
    this.healthLog.note(report);
    this.changed();
  }

  /** A new cluster does not touch a sequencer before an operator says so. @throws StorageError */
  async pauseForBootstrap(): Promise<void> {
    await this.options.switches.setPause('bootstrap');
  }

  /** In force at once; resolves when a restart would not end it. @throws StorageError */
  async pause(): Promise<void> {
    const { switches, logger } = this.options;
    const kept = switches.setPause('conductor_pause');
    logger.info('control loop paused');
    this.changed();
    await kept;
  }

  /**
   * @throws ClientError when op-node does not say whether its sequencer runs; then the loop stays paused
   * @throws StorageError
   */
  async resume(): Promise<void> {
    const { opNode, localNode, switches, logger, callTimeoutMs } = this.options;
    localNode.noteSequencer(await opNode.sequencerActive({ timeoutMs: callTimeoutMs }));
    await switches.endPause();
    logger.info('control loop resumed');
    this.emit('resumed');
    this.loop.forgetFailures();
    this.changed();
  }

  /**
   * Hands over and ends the control of the local node: its last block gets committed, then another node leads.
   * The cluster does not wait for a time-out, and the next sequencer misses no slot.
   */
  async retire(): Promise<void> {
    const { raft, localNode, succession, switches, logger } = this.options;
    switches.stopped = true;
    await this.loop.stop();
    // A start that was aborted may still have its effect, so a leader asks op-node to stop in any case.
    const mayRun = localNode.state.sequencerActive === true || this.leads;
    if (!switches.paused && mayRun) {
      await this.sequencer
        .stop(new AbortController().signal)
        .catch((error: Error) =>
          logger.warn({ reason: error.message }, 'the sequencer could not be stopped'),
        );
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

  private roleChanged(): void {
    this.sequencer.roleChanged({ leads: this.leads });
    this.leaderSinceMs = performance.now();
    this.loop.forgetFailures();
    this.changed();
  }

  /** A fact that decisions depend on may have changed. */
  private changed(): void {
    const { chain, localNode, raft } = this.options;
    this.lag.observe(chain.head?.number, localNode.state.head?.number, performance.now());
    this.checkAgainIfOutdated();
    raft.setEligibility(this.eligibility());
    this.tellState();
    this.loop.evaluate();
  }

  private tellState(): void {
    const active = this.options.localNode.state.sequencerActive === true;
    const state = { leader: this.leads, healthy: this.isHealthy, active };
    // As op-conductor: what it finds when it starts is no change.
    if (this.lastState && !sameState(this.lastState, state)) this.emit('stateChanged', state);
    this.lastState = state;
  }

  /** A head that was too old has moved since: that is a reason to look again now, not at the end of the interval. */
  private checkAgainIfOutdated(): void {
    const { health, localNode } = this.options;
    const report = health.latest();
    const number = localNode.state.head?.number ?? -1;
    if (!report || !isUnhealthyFor(report, 'unsafe-head-old') || number <= this.checkedNumber) return;
    this.checkedNumber = number;
    if (number > (report.unsafeHead?.number ?? Infinity)) health.probeNow();
  }

  private fitness(strikes: number): Fitness {
    const { health, localNode, switches } = this.options;
    const { reachable } = localNode.state;
    const level = fitness(health.latest()?.reasons, reachable, switches.active, strikes);
    const trouble = this.sequencer.troubleAt(performance.now());
    return trouble === undefined ? level : (Math.min(level, Fitness.impaired) as Fitness);
  }

  private get lagBlocks(): number {
    const { chain, localNode } = this.options;
    return (chain.head?.number ?? 0) - (localNode.state.head?.number ?? 0);
  }

  private eligibility(): number {
    return encodeEligibility(this.fitness(Strikes.toStayAway), this.lagBlocks);
  }

  private view(): View {
    const { raft, localNode, health, succession, switches, progressGraceMs, stuckAfterMs } = this.options;
    const status = raft.status();
    const { state } = localNode;
    const now = performance.now();
    const movedAtMs = Math.max(state.headAdvancedAtMs, this.sequencer.startedAtMs);
    const stuck = now - Math.max(movedAtMs, this.leaderSinceMs) > stuckAfterMs;
    return {
      paused: switches.paused,
      stopping: switches.stopped,
      role: status.role !== 'leader' ? 'follower' : status.ready ? 'leader' : 'elect',
      sequencerActive: this.sequencer.isStarting ? false : state.sequencerActive,
      fitness: this.fitness(Strikes.toLeave),
      eligibility: this.eligibility(),
      lagBlocks: this.lagBlocks,
      healthReason: state.reachable
        ? (this.sequencer.troubleAt(now) ?? health.latest()?.summary ?? 'not checked yet')
        : state.reason,
      progressing: now - movedAtMs < progressGraceMs,
      stuck,
      historyTooShort: this.sequencer.isHistoryTooShort,
      lagging: this.lag.isLagging(now),
      successors: status.role === 'leader' ? succession.inOrderOfTrial({ stuck }) : [],
    };
  }

  private async run(action: Exclude<Action, { type: 'none' }>, signal: AbortSignal): Promise<void> {
    switch (action.type) {
      case 'start':
        return this.sequencer.start(signal);
      case 'stop':
        return this.sequencer.stop(signal);
      case 'feed':
        await this.sequencer.feed(signal);
        return this.changed();
      case 'transfer':
        return this.transfer(action, signal);
    }
  }

  private async transfer(action: Transfer, signal: AbortSignal): Promise<void> {
    const { raft, succession, logger } = this.options;
    if (action.stopFirst) {
      await this.sequencer
        .stop(signal)
        .catch((error: Error) =>
          logger.warn({ reason: error.message }, 'the sequencer could not be stopped before the transfer'),
        );
      // It may have been the decision itself that was withdrawn meanwhile.
      signal.throwIfAborted();
    }
    const outcome = await raft.transferLeadership(action.to);
    logger.info({ to: action.to, reason: action.reason, ...outcome }, 'leadership transfer');
    // Leadership that is on its way or gone is what was wanted (op-conductor.md §3.6).
    const success = outcome.outcome === 'done' || outcome.reason === 'transfer-in-progress' || !this.leads;
    this.emit('transferred', success);
    if (success) return;
    succession.avoid(action.to);
    throw new Error(`leadership transfer: ${outcome.reason}`);
  }
}

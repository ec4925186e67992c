import { EventEmitter } from 'node:events';
import { withDeadline } from '../../common/deadline.js';
import type { HealthMonitor } from '../../health/health-monitor.js';
import { isUnhealthyFor, type HealthReport } from '../../health/health-report.js';
import type { RaftNode } from '../../raft/index.js';
import type { RaftNodeEvents } from '../../raft/index.js';
import type { OpNodeClient } from '../../rpc/clients/op-node-client.js';
import type { BlockRef } from '../../rpc/payload/block-ref.js';
import type { ChainState } from '../chain/chain-state.js';
import { sameState, type ControlEvents, type State } from './control-events.js';
import { ControlLoop } from './control-loop.js';
import { HAND_BACK, type Action, type View } from './decide.js';
import { HEADS_NOT_COMPARED } from './branch-watch.js';
import { Strikes } from './eligibility.js';
import { HandBack, type HandBackTimes } from './hand-back.js';
import { HandOver, type TransferTarget } from './hand-over.js';
import { HealthLog } from './health-log.js';
import { LagTracker } from './lag-tracker.js';
import type { LocalNode } from './local-node.js';
import { LocalSequencer, type LocalSequencerOptions } from './local-sequencer.js';
import { OwnFitness } from './own-fitness.js';
import { StartElsewhereError } from './start-held.js';
import type { Succession } from './succession.js';
import type { PauseDetails, Switches } from './switches.js';

/** A leader that cannot prove its leadership steps down long before; nothing may hold up the control loop forever. */
const READ_BARRIER_TIMEOUT_MS = 5000;

/** Time limits of the control loop. */
export interface ControlTimes extends Pick<LocalSequencerOptions, 'callTimeoutMs' | 'catchUpTimeoutMs'> {
  /** How long an active sequencer's head may not move before an old head counts against it. */
  progressGraceMs: number;
  /** A leader whose chain does not move for this long lets another node try. */
  stuckAfterMs: number;
  handBack: HandBackTimes;
}

interface ControllerOptions extends Omit<LocalSequencerOptions, 'readBarrier' | 'nodeId'>, ControlTimes {
  raft: Pick<
    RaftNode<unknown>,
    | 'nodeId'
    | 'identity'
    | 'status'
    | 'setEligibility'
    | 'readBarrier'
    | 'prepareTransfer'
    | 'transferLeadership'
  > &
    EventEmitter<RaftNodeEvents>;
  chain: Pick<ChainState, 'head'>;
  opNode: LocalSequencerOptions['opNode'] & Pick<OpNodeClient, 'sequencerActive'>;
  localNode: LocalNode;
  health: Pick<HealthMonitor, 'latest' | 'probeNow'>;
  succession: Succession;
  switches: Switches;
  /** The log is known up to its end when this process began: it may hold a pause. */
  knowsLog: () => boolean;
  /** By the log applied here, operators have decided that no sequencer runs anywhere. */
  isHalted: () => boolean;
  /** Of this node as leader. */
  priority: number;
}

/**
 * Controls one node: knows the state of this node and the cluster, lets `decide` choose an action, and carries it out.
 */
export class Controller extends EventEmitter<ControlEvents> {
  private leaderSinceMs = -Infinity;
  private readonly lag = new LagTracker();
  private readonly sequencer: LocalSequencer;
  private readonly handOver: HandOver;
  private readonly fitness: OwnFitness;
  private readonly handBack: HandBack;
  private readonly loop: ControlLoop;
  private readonly healthLog: HealthLog;
  private lastState: State | undefined;
  private isHandingOver = false;
  /** Local head that has already caused a health check out of turn. */
  private checkedNumber = -1;

  constructor(private readonly options: ControllerOptions) {
    super();
    const { raft, localNode, logger } = options;
    this.sequencer = new LocalSequencer({
      ...options,
      nodeId: raft.nodeId,
      readBarrier: () => withDeadline(() => raft.readBarrier(), { timeoutMs: READ_BARRIER_TIMEOUT_MS }),
    });
    this.sequencer.on('started', (wasStopped) => this.emit('sequencerStarted', wasStopped));
    this.sequencer.on('stopped', (wasRunning) => this.emit('sequencerStopped', wasRunning));
    this.handBack = new HandBack(options.handBack, options.priority);
    this.handOver = new HandOver({
      ...options,
      sequencer: this.sequencer,
      announce: (to, cause) => this.emit('handsOver', to, cause),
    });
    this.fitness = new OwnFitness({
      ...options,
      startTrouble: () => this.sequencer.troubleAt(performance.now()),
    });
    this.healthLog = new HealthLog(logger);
    this.loop = new ControlLoop(
      { view: () => this.view(), run: (action, signal) => this.run(action, signal) },
      logger,
      (durationMs) => this.emit('turn', durationMs),
    );
    raft.on('role', () => this.roleChanged());
    raft.on('leaderReady', () => {
      localNode.branch.promoted();
      this.roleChanged();
    });
    raft.on('applied', () => this.changed());
    localNode.on('polled', () => this.changed());
    // A witness has no node to hear from. As leader, it uses the other members' reports about theirs.
    if (localNode.isAbsent) raft.on('answered', () => this.changed());
  }

  /** This member has no node: it votes, and hands leadership over at once. */
  get isWitness(): boolean {
    return this.options.localNode.isAbsent;
  }

  /** All that is known about the local node's health; like op-conductor: healthy until the first check has spoken. */
  get isHealthy(): boolean {
    return this.fitness.isHealthy;
  }

  /** Why this leader does not start its sequencer although nothing has failed; undefined if it need not wait. */
  get startHeldBy(): string | undefined {
    return this.sequencer.heldBy;
  }

  /**
   * op-node must believe that this node does not lead: either its sequencer is being stopped because it must not go on,
   * and would wait for its last block to become its head; or a check is under way whether op-node asks at all.
   */
  get isAbandoning(): boolean {
    return this.sequencer.isAbandoning || this.options.localNode.override.isLooking;
  }

  /**
   * Why no block may be the first of an empty log now; undefined if one may. A sequencer that ran before this node led
   * builds on a head that nobody has compared with the other members' heads. A paused node leaves that to its operator.
   */
  get firstBlockRefusal(): string | undefined {
    if (this.options.switches.paused || this.sequencer.mayBegin) return undefined;
    return HEADS_NOT_COMPARED;
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

  /** In force at once; resolves when it would survive a restart. @throws StorageError */
  async pause(details: PauseDetails = {}): Promise<void> {
    const { switches, logger } = this.options;
    const kept = switches.setPause('conductor_pause', details);
    logger.info(details, 'control loop paused');
    this.changed();
    await kept;
  }

  /**
   * @throws ClientError when op-node does not say whether its sequencer runs; then the loop stays paused
   * @throws StorageError
   */
  async resume(): Promise<void> {
    const { opNode, localNode, switches, logger, callTimeoutMs } = this.options;
    if (!this.isWitness) localNode.noteSequencer(await opNode.sequencerActive({ timeoutMs: callTimeoutMs }));
    await switches.endPause();
    logger.info('control loop resumed');
    this.resumed();
  }

  /** A pause has ended, for any reason. */
  resumed(): void {
    if (this.options.switches.paused) return;
    this.emit('resumed');
    this.loop.forgetFailures();
    this.changed();
  }

  /**
   * Hands over and ends the control of the local node: its last block is committed, then another node leads.
   * The cluster does not wait for a time-out, and the next sequencer misses no slot.
   *
   * @param reason why, for the record
   */
  async retire(reason = 'the conductor stops'): Promise<void> {
    const { localNode, switches } = this.options;
    switches.stopped = true;
    await this.loop.stop();
    // A start that was aborted may still have its effect, so a leader always asks op-node to stop.
    const mayRun = !this.isWitness && (localNode.state.sequencerActive === true || this.leads);
    const isOurs = this.belongsToCluster && !switches.paused;
    await this.handOver.atTheEnd({ stopFirst: isOurs && mayRun, reason });
  }

  /** A commit was refused: its block contradicts the committed chain. */
  async contradicted(block: BlockRef): Promise<void> {
    const { localNode, callTimeoutMs } = this.options;
    await localNode.branch.contradictedBy(block, { timeoutMs: callTimeoutMs });
    this.changed();
  }

  private get leads(): boolean {
    return this.options.raft.status().role === 'leader';
  }

  private get belongsToCluster(): boolean {
    return this.options.raft.identity.clusterId !== null;
  }

  private roleChanged(): void {
    this.sequencer.roleChanged({ leads: this.leads });
    this.leaderSinceMs = performance.now();
    this.handBack.forget();
    this.loop.forgetFailures();
    this.changed();
  }

  /** A fact that decisions depend on may have changed. */
  private changed(): void {
    const { chain, localNode, raft } = this.options;
    this.lag.observe(chain.head, localNode.state.head?.number, performance.now());
    this.checkAgainIfOutdated();
    raft.setEligibility(this.fitness.eligibility);
    this.tellState();
    this.loop.evaluate();
  }

  private tellState(): void {
    const active = this.options.localNode.state.sequencerActive === true;
    const state = { leader: this.leads, healthy: this.isHealthy, active };
    // As in op-conductor, the state at the start is not a change.
    if (this.lastState && !sameState(this.lastState, state)) this.emit('stateChanged', state);
    this.lastState = state;
  }

  /** A head that was too old has moved, so health is checked again now, not at the end of the interval. */
  private checkAgainIfOutdated(): void {
    const { health, localNode } = this.options;
    const report = health.latest();
    const number = localNode.state.head?.number ?? -1;
    if (!report || !isUnhealthyFor(report, 'unsafe-head-old') || number <= this.checkedNumber) return;
    this.checkedNumber = number;
    if (number > (report.unsafeHead?.number ?? Infinity)) health.probeNow();
  }

  private view(): View {
    const { raft, localNode, succession, switches, knowsLog, progressGraceMs, stuckAfterMs } = this.options;
    const status = raft.status();
    const { state, branch } = localNode;
    const now = performance.now();
    const movedAtMs = Math.max(state.headAdvancedAtMs, this.sequencer.startedAtMs);
    const stuck = !this.isWitness && now - Math.max(movedAtMs, this.leaderSinceMs) > stuckAfterMs;
    const successors = status.role === 'leader' ? succession.inOrderOfTrial({ stuck }) : [];
    return {
      paused: switches.paused || !knowsLog(),
      // A member that leads by decree goes on without the cluster, and so without its decisions.
      halted: this.options.isHalted() && !switches.leaderOverridden,
      stopping: switches.stopped,
      witness: this.isWitness,
      belongsToCluster: this.belongsToCluster,
      role: status.role !== 'leader' ? 'follower' : status.ready ? 'leader' : 'elect',
      sequencerActive: this.sequencer.isStarting ? false : state.sequencerActive,
      mustStop: branch.offChain ?? localNode.notAsking,
      compared: branch.compared,
      stray: branch.isStray(now),
      left: branch.leftAt !== null,
      fitness: this.fitness.level(Strikes.toLeave),
      eligibility: this.fitness.eligibility,
      lagBlocks: this.fitness.lagBlocks,
      healthReason: this.fitness.reason,
      progressing: now - movedAtMs < progressGraceMs,
      transferring: status.transferring && !this.isHandingOver,
      stuck,
      historyTooShort: this.sequencer.isHistoryTooShort,
      lagging: this.lag.isLagging(now),
      preferred: this.handBack.dueAt(now, successors),
      successors,
    };
  }

  private async run(action: Exclude<Action, { type: 'none' }>, signal: AbortSignal): Promise<void> {
    switch (action.type) {
      case 'start':
        return this.start(signal);
      case 'stop':
        return action.abandon ? this.sequencer.abandon(action.reason, signal) : this.sequencer.stop(signal);
      case 'feed':
        await this.sequencer.feed(signal);
        return this.changed();
      case 'transfer':
        return this.transfer(action, signal);
    }
  }

  private async start(signal: AbortSignal): Promise<void> {
    try {
      await this.sequencer.start(signal);
    } catch (error) {
      if (!(error instanceof StartElsewhereError)) throw error;
      await this.transfer({ to: error.to, sequencer: 'leave', reason: error.message }, signal);
    }
  }

  private async transfer(target: TransferTarget, signal: AbortSignal): Promise<void> {
    this.isHandingOver = true;
    if (target.reason === HAND_BACK) this.handBack.tried(performance.now());
    const failure = await this.handOver.to(target, signal).finally(() => (this.isHandingOver = false));
    this.emit('transferred', failure === undefined);
    if (failure !== undefined) throw new Error(`leadership transfer: ${failure}`);
  }
}

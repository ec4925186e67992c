import { EventEmitter } from 'node:events';
import { isUnhealthyFor, type HealthReport } from '../../health/health-report.js';
import type { ClusterTimes } from '../../rpc/server/cluster-timing.js';
import {
  Suffrage,
  type ClusterMembership,
  type ConductorApi,
  type ServerInfo,
} from '../../rpc/server/conductor-api.js';
import type { ClusterStatus, ConductorStatus } from '../../rpc/server/conductor-status.js';
import type { UnsafePayload } from '../../rpc/payload/unsafe-payload.js';
import { RpcError } from '../../rpc/server/json-rpc/rpc-error.js';
import { clusterStatus } from './cluster-status.js';
import { PayloadCommitter } from '../commit/payload-committer.js';
import { BehindError, bringToHead } from '../control/bring-to-head.js';
import { ControlLoop } from '../control/control-loop.js';
import type { Action, View } from '../control/decide.js';
import { encodeEligibility, fitness, Fitness, Strikes } from '../control/eligibility.js';
import { LagTracker } from '../control/lag-tracker.js';
import { startSequencer } from '../control/start-sequencer.js';
import { StartTrouble } from '../control/start-trouble.js';
import { Succession } from '../control/succession.js';
import type { ConductorEvents, ConductorOptions } from './conductor-options.js';
import { healthNow } from '../control/health-now.js';
import { nodeStatus } from './node-status.js';
import { transferTo, transferToServer } from './requested-transfer.js';

/** Longest that `conductor_clusterStatus` waits for other members. */
const CLUSTER_STATUS_TIMEOUT_MS = 1000;

/** A sequencer ends its block within its block time; one that hangs is left alone after this. */
const STOP_TIMEOUT_MS = 2000;

/**
 * One node's conductor: knows what is going on here and in the cluster, lets `decide` choose, and does it.
 */
export class Conductor extends EventEmitter<ConductorEvents> implements ConductorApi {
  private isPaused: boolean;
  private isStopped = false;
  private overridden = false;
  private startedAtMs = -Infinity;
  private leaderSinceMs = -Infinity;
  private starting = false;
  /** Hash of the local head for which the retained history turned out too short. */
  private historyTooShortAt: string | undefined;
  private readonly startTrouble = new StartTrouble();
  private readonly lag = new LagTracker();
  private readonly succession: Succession;
  private readonly loop: ControlLoop;
  private readonly committer: PayloadCommitter;
  private lastHealth = '';
  private lastState = '';
  /** Local head that was already a reason for a health check out of turn. */
  private checkedNumber = -1;

  constructor(private readonly options: ConductorOptions) {
    super();
    this.isPaused = options.paused;
    this.succession = new Succession(options);
    this.committer = new PayloadCommitter(options.raft, options.chain, options.logger);
    this.loop = new ControlLoop(
      { view: () => this.view(), run: (action, signal) => this.run(action, signal) },
      options.logger,
      (durationMs) => this.emit('turn', durationMs),
    );
    const roleChanged = (): void => {
      this.emit('leadershipChanged');
      // Whoever gave it leadership although it could not start its sequencer wants it to try again.
      if (options.raft.status().role === 'leader') this.startTrouble.over();
      this.leaderSinceMs = performance.now();
      this.loop.forgetFailures();
      this.historyTooShortAt = undefined;
      this.changed();
    };
    options.raft.on('role', roleChanged);
    options.raft.on('leaderReady', roleChanged);
    options.raft.on('applied', () => this.changed());
  }

  /** The local node was polled, or its health was checked. */
  changed(): void {
    const { chain, localNode, raft } = this.options;
    this.lag.observe(chain.head?.number, localNode.state.head?.number, performance.now());
    this.checkAgainIfOutdated();
    raft.setEligibility(this.eligibility());
    this.tellState();
    this.loop.evaluate();
  }

  private tellState(): void {
    const { raft, localNode } = this.options;
    const state = {
      leader: raft.status().role === 'leader',
      healthy: this.sequencerHealthy(),
      active: localNode.state.sequencerActive === true,
    };
    const line = Object.values(state).join();
    // As op-conductor: what it finds when it starts is no change.
    if (this.lastState !== '' && line !== this.lastState) this.emit('stateChanged', state);
    this.lastState = line;
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

  healthChanged(report: HealthReport): void {
    const { status, reasons, summary } = report;
    const line = [status, ...reasons.map(({ check, code }) => `${check} ${code}`)].join();
    if (line !== this.lastHealth) {
      const { logger } = this.options;
      const log = (report.healthy ? logger.info : logger.warn).bind(logger);
      log({ status, summary, reasons }, 'health changed');
    }
    this.lastHealth = line;
    this.changed();
  }

  pauseForBootstrap(): void {
    this.isPaused = true;
  }

  /**
   * Hands over and ends the control of the local node: its last block gets committed, then another node leads.
   * The cluster does not wait for a time-out, and the next sequencer misses no slot.
   */
  async retire(): Promise<void> {
    const { raft, localNode, logger } = this.options;
    this.isStopped = true;
    await this.loop.stop();
    // A start that was aborted may still have its effect, so a leader asks op-node to stop in any case.
    const mayRun = localNode.state.sequencerActive === true || raft.status().role === 'leader';
    if (!this.isPaused && mayRun) {
      await this.stopSequencer(new AbortController().signal).catch((error: Error) =>
        logger.warn({ reason: error.message }, 'the sequencer could not be stopped'),
      );
    }
    if (raft.status().role !== 'leader') return;
    const inTurn = this.succession.inOrderOfTrial({ stuck: false });
    const fit = inTurn.find(({ fitness }) => fitness === Fitness.fit);
    const to = (fit ?? this.succession.successors()[0])?.id;
    const outcome = await raft.transferLeadership(to);
    logger.info({ to, ...outcome }, 'leadership handed over');
  }

  // ------------------------------------------------------------ what is

  private mayControl(): boolean {
    return !this.isPaused && !this.isStopped;
  }

  private fitness(strikes: number): Fitness {
    const { health, localNode } = this.options;
    const level = fitness(health.latest()?.reasons, localNode.state.reachable, this.mayControl(), strikes);
    const trouble = this.startTrouble.at(performance.now());
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
    const { raft, localNode, health, progressGraceMs, stuckAfterMs } = this.options;
    const status = raft.status();
    const { state } = localNode;
    const now = performance.now();
    const movedAtMs = Math.max(state.headAdvancedAtMs, this.startedAtMs);
    const stuck = now - Math.max(movedAtMs, this.leaderSinceMs) > stuckAfterMs;
    return {
      paused: this.isPaused,
      stopping: this.isStopped,
      role: status.role !== 'leader' ? 'follower' : status.ready ? 'leader' : 'elect',
      // Not before op-node has answered: the start is not over when a poll sees its effect.
      sequencerActive: this.starting ? false : state.sequencerActive,
      fitness: this.fitness(Strikes.toLeave),
      eligibility: this.eligibility(),
      lagBlocks: this.lagBlocks,
      healthReason: state.reachable
        ? (this.startTrouble.at(now) ?? health.latest()?.summary ?? 'not checked yet')
        : state.reason,
      progressing: now - movedAtMs < progressGraceMs,
      stuck,
      historyTooShort: this.historyTooShortAt !== undefined && this.historyTooShortAt === state.head?.hash,
      lagging: this.lag.isLagging(now),
      successors: status.role === 'leader' ? this.succession.inOrderOfTrial({ stuck }) : [],
    };
  }

  // ------------------------------------------------------------ what to do

  private async run(action: Exclude<Action, { type: 'none' }>, signal: AbortSignal): Promise<void> {
    switch (action.type) {
      case 'start':
        return this.start(signal);
      case 'stop':
        return this.stopSequencer(signal);
      case 'feed':
        return this.feed(signal);
      case 'transfer':
        return this.transfer(action, signal);
    }
  }

  private async start(signal: AbortSignal): Promise<void> {
    const { localNode, health, raft } = this.options;
    this.starting = true;
    await this.notingShortHistory(async () => {
      const { head, wasStopped } = await startSequencer(
        { ...this.options, readBarrier: () => raft.readBarrier() },
        { signal, deadlineMs: this.options.catchUpTimeoutMs, callTimeoutMs: this.options.callTimeoutMs },
      );
      this.startedAtMs = performance.now();
      localNode.headIs(head);
      localNode.sequencerIs(true);
      this.startTrouble.over();
      this.emit('sequencerStarted', wasStopped);
    })
      .catch((error: Error) => {
        if (!signal.aborted) this.startTrouble.failed(error, performance.now());
        throw error;
      })
      .finally(() => (this.starting = false));
    health.probeNow();
  }

  private async feed(signal: AbortSignal): Promise<void> {
    const { localNode, health } = this.options;
    await this.notingShortHistory(async () => {
      const head = await bringToHead(this.options, {
        signal,
        deadlineMs: this.options.catchUpTimeoutMs,
        callTimeoutMs: this.options.callTimeoutMs,
      });
      localNode.headIs(head);
    });
    health.probeNow();
    this.changed();
  }

  private async notingShortHistory(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (error instanceof BehindError && error.code === 'history-too-short') {
        this.historyTooShortAt = this.options.localNode.state.head?.hash;
      }
      throw error;
    }
  }

  private async stopSequencer(signal: AbortSignal): Promise<void> {
    const { opNode, localNode, logger } = this.options;
    const { head, wasRunning } = await opNode.stopSequencer({ signal, timeoutMs: STOP_TIMEOUT_MS });
    localNode.sequencerIs(false);
    this.emit('sequencerStopped', wasRunning);
    if (wasRunning) logger.info({ hash: head }, 'sequencer stopped');
  }

  private async transfer(action: Extract<Action, { type: 'transfer' }>, signal: AbortSignal): Promise<void> {
    const { raft, logger } = this.options;
    if (action.stopFirst) {
      await this.stopSequencer(signal).catch((error: Error) =>
        logger.warn({ reason: error.message }, 'the sequencer could not be stopped before the transfer'),
      );
      // It may have been the decision itself that was withdrawn meanwhile.
      signal.throwIfAborted();
    }
    const outcome = await raft.transferLeadership(action.to);
    logger.info({ to: action.to, reason: action.reason, ...outcome }, 'leadership transfer');
    // Leadership that is on its way or gone is what was wanted (op-conductor.md §3.6).
    const success =
      outcome.outcome === 'done' ||
      outcome.reason === 'transfer-in-progress' ||
      raft.status().role !== 'leader';
    this.emit('transferred', success);
    if (success) return;
    this.succession.avoid(action.to);
    throw new Error(`leadership transfer: ${outcome.reason}`);
  }

  // ------------------------------------------------------------ ConductorApi

  leader(): boolean {
    return this.overridden || this.options.raft.status().role === 'leader';
  }

  leaderWithId(): ServerInfo {
    if (this.overridden) return { id: 'N/A (Leader overridden)', addr: 'N/A', suffrage: Suffrage.voter };
    const { leader, configuration } = this.options.raft.status();
    const member = configuration.configuration.members.find((candidate) => candidate.id === leader);
    return { id: leader ?? '', addr: member?.address ?? '', suffrage: Suffrage.voter };
  }

  clusterMembership(): ClusterMembership {
    const { index, configuration } = this.options.raft.status().configuration;
    if (configuration.members.length === 0) return { servers: null, version: 0 };
    const servers = configuration.members.map(({ id, address, voter }) => ({
      id,
      addr: address,
      suffrage: voter ? Suffrage.voter : Suffrage.nonvoter,
    }));
    return { servers, version: index };
  }

  active(): boolean {
    return !this.isStopped && !this.isPaused;
  }

  paused(): boolean {
    return this.isPaused;
  }

  stopped(): boolean {
    return this.isStopped;
  }

  sequencerHealthy(): boolean {
    // As op-conductor: healthy until the first check has spoken.
    return healthNow(this.options.health, this.options.localNode)?.healthy ?? true;
  }

  leaderOverridden(): boolean {
    return this.overridden;
  }

  overrideLeader(override: boolean): void {
    this.overridden = override;
    this.options.logger.warn({ override }, 'leader override set');
    this.emit('leadershipChanged');
  }

  async pause(): Promise<void> {
    this.isPaused = true;
    this.options.logger.info('control loop paused');
    this.changed();
  }

  async resume(): Promise<void> {
    const { opNode, localNode, logger, callTimeoutMs } = this.options;
    try {
      localNode.sequencerIs(await opNode.sequencerActive({ timeoutMs: callTimeoutMs }));
    } catch (error) {
      throw new RpcError(
        `cannot resume because failed to get sequencer active status: failed to get sequencer active status: ${(error as Error).message}`,
        { reason: 'node-unreachable', cause: error },
      );
    }
    this.isPaused = false;
    logger.info('control loop resumed');
    this.emit('resumed');
    this.loop.forgetFailures();
    this.changed();
  }

  async stop(): Promise<void> {
    // The answer has to leave before the server that carries it goes away.
    setImmediate(() => this.emit('stopRequested'));
  }

  commitUnsafePayload(payload: UnsafePayload): Promise<void> {
    return this.committer.commit(payload);
  }

  async transferLeader(): Promise<void> {
    if (this.options.silentTransfer && this.options.raft.status().role !== 'leader') return;
    await transferTo(this.options.raft, this.succession.successors()[0]?.id);
  }

  async transferLeaderToServer(id: string, addr: string): Promise<void> {
    await transferToServer(this.options.raft, id, addr);
  }

  addServerAsVoter(id: string, addr: string, version: number): Promise<void> {
    return this.options.membership.add(id, addr, version, true);
  }

  addServerAsNonvoter(id: string, addr: string, version: number): Promise<void> {
    return this.options.membership.add(id, addr, version, false);
  }

  demoteVoter(id: string, version: number, force: boolean): Promise<void> {
    return this.options.membership.demote(id, version, { force });
  }

  removeServer(id: string, version: number, force: boolean): Promise<void> {
    return this.options.membership.remove(id, version, { force });
  }

  replaceServer(oldId: string, id: string, addr: string, version: number): Promise<void> {
    return this.options.membership.replace(oldId, { id, address: addr }, version);
  }

  async setTiming(timing: string | ClusterTimes, version: number): Promise<void> {
    await this.options.membership.setTiming(timing, version);
  }

  status(): ConductorStatus {
    return nodeStatus(this.options, {
      active: this.active(),
      paused: this.isPaused,
      stopped: this.isStopped,
      leaderOverridden: this.overridden,
    });
  }

  clusterStatus(): Promise<ClusterStatus> {
    return clusterStatus(this.status(), this.options.askStatus, CLUSTER_STATUS_TIMEOUT_MS);
  }

  async latestUnsafePayload(): Promise<Buffer | null> {
    const { chain, history } = this.options;
    return chain.head ? history.payload(chain.head) : null;
  }
}

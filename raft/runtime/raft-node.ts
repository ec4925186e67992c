import { EventEmitter } from 'node:events';
import { performance } from 'node:perf_hooks';
import type { Logger } from 'pino';
import type { MembershipChange } from '../core/configuration-change.js';
import type { Member, NodeId } from '../core/configuration.js';
import type { LoadedEntry } from '../core/entries.js';
import type { Message, ResponseMessage } from '../core/messages.js';
import type { CoreEvent, LogPosition, Output } from '../core/outputs.js';
import { RaftCore, type CoreStatus } from '../core/raft-core.js';
import { clusterTimingOf, type ClusterTiming, type Timing } from '../core/timing.js';
import type { Identity } from '../storage/storage.js';
import { Application } from './application.js';
import { ClusterIdentity } from './cluster-identity.js';
import { ConfigurationChanges } from './configuration-changes.js';
import { CoreEventLog } from './core-event-log.js';
import { CorePump } from './core-pump.js';
import { DiskWriter } from './disk-writer.js';
import { findEntryOutcome } from './entry-outcome.js';
import type { NodeTransport, Outcome, RaftNodeEvents, RaftNodeOptions } from './node-options.js';
import { PeerInbox } from './peer-inbox.js';
import { PeerRequests } from './peer-requests.js';
import type { PeerTrouble } from './peer-watch.js';
import { SnapshotTraffic } from './snapshot-traffic.js';
import { TimingWatch } from './timing-watch.js';
import { findTransferOutcome } from './transfer-outcome.js';
import { unlessAborted } from './unless-aborted.js';
import { WakeUpTimer } from './wake-up-timer.js';

/** One running node. Gives the pure core its clock, disk and network, and the application its commits. */
export class RaftNode<Result> extends EventEmitter<RaftNodeEvents> {
  readonly nodeId: NodeId;
  private readonly logger: Logger;
  private core: RaftCore | undefined;
  private readonly cluster: ClusterIdentity;
  private readonly pump: CorePump;
  /** What this process measures of network and disk; round trips only while it leads. */
  readonly timingWatch: TimingWatch;
  private readonly eventLog: CoreEventLog;
  private readonly disk: DiskWriter;
  private readonly peers: PeerRequests;
  private readonly application: Application<Result>;
  private readonly snapshots: SnapshotTraffic;
  private readonly inbox: PeerInbox;
  private readonly changes: ConfigurationChanges;
  private ended = false;
  private closing: Promise<void> | undefined;
  private term = 0;

  constructor(private readonly options: RaftNodeOptions<Result>) {
    super();
    this.nodeId = options.nodeId;
    this.logger = options.logger;
    const { nodeId, stateMachine, storage, logger, retention } = options;
    this.pump = new CorePump({
      timer: this.makeTimer(),
      carryOut: (output, exchangeId) => this.carryOut(output, exchangeId),
      onStepped: () => this.application.stepped(),
      onError: (error) => this.fatal(error),
    });
    this.application = new Application({
      stateMachine,
      storage,
      retention,
      core: () => this.running,
      pump: this.pump,
      onApplied: (index) => this.emit('applied', index),
      onProposed: (took) => this.emit('proposed', took),
      onError: (error) => this.fatal(error),
    });
    this.changes = new ConfigurationChanges({
      pump: this.pump,
      isReady: () => this.isReadyLeader,
      becomesReady: () => this.readBarrier(),
      outcomeOf: (at, signal) => this.outcomeOf(at, signal),
      electionTimeoutMs: () => this.timing.electionTimeoutMs,
    });
    this.cluster = new ClusterIdentity({ storage, logger, onDiskFailure: (error) => this.fatal(error) });
    this.timingWatch = new TimingWatch(logger);
    this.eventLog = new CoreEventLog(logger, () => performance.now());
    this.disk = new DiskWriter({
      storage,
      limitMs: options.writeLimitMs,
      onStored: (seq, durationMs) => this.stored(seq, durationMs),
      onFailed: (error) => this.fatal(error),
    });
    this.snapshots = new SnapshotTraffic(storage, logger);
    this.peers = new PeerRequests({
      nodeId,
      pump: this.pump,
      storage,
      snapshots: this.snapshots,
      logger,
      onAnswered: (peer) => this.emit('answered', peer),
      onRoundTrip: (ms) => this.timingWatch.roundTrip(ms),
      onDiskFailure: (error) => this.fatal(error),
    });
    this.inbox = new PeerInbox({
      nodeId,
      identity: () => this.identity,
      adoptCluster: (clusterId) => this.adoptCluster(clusterId),
      term: () => this.term,
      pump: this.pump,
      snapshots: this.snapshots,
      crashEvidence: options.crashEvidence,
      leader: () => (this.pump.isRunning ? this.status().leader : null),
      probe: (peer) => this.peers.probe(peer),
      writingForMs: () => this.disk.writingForMs,
      onIdentityUsedTwice: (peer) => this.emit('identityUsedTwice', peer),
      logger,
      onError: (error) => this.fatal(error),
    });
  }

  /** Opens the disk and rebuilds the state; the network comes with `start`. @throws StorageError */
  async open(): Promise<Identity> {
    const { identity, state } = await this.options.storage.open(this.nodeId);
    this.cluster.opened(identity);
    const { priority, timing, limits } = this.options;
    const { incarnation } = identity;
    const core = new RaftCore({ id: this.nodeId, incarnation, priority, timing, limits }, state);
    this.core = core;
    const snapshot = await this.options.storage.readSnapshot();
    const { term, commitIndex } = core.status(performance.now());
    this.term = term;
    this.useTiming();
    await this.application.open(snapshot, commitIndex);
    return identity;
  }

  /** Joins the network: from here on the node votes, follows and leads. @returns where it listens */
  async start(transport: NodeTransport): Promise<{ host: string; port: number }> {
    this.peers.use(transport);
    this.pump.run(this.running);
    // Before the first request, which is checked against the members' disks.
    this.peers.connect(this.status().configuration.configuration.members);
    const bound = await transport.start(this.inbox);
    this.pump.deliver({ type: 'applied', index: this.application.appliedIndex });
    this.pump.deliver({ type: 'tick' });
    return bound;
  }

  /** Closes network and disk, also after a fatal error. Callers that still wait get `unknown`. */
  stop(): Promise<void> {
    this.closing ??= this.close();
    return this.closing;
  }

  get identity(): Identity {
    return this.cluster.identity;
  }

  status(): CoreStatus {
    return this.running.status(performance.now());
  }

  /** The timing in force: the cluster's once this node's log has it. */
  get timing(): Timing {
    return this.core?.timing ?? this.options.timing;
  }

  /** The peers that do not do what this node asks, and the stage at which it fails. */
  peerTroubles(): PeerTrouble[] {
    return this.peers.troubles();
  }

  /** True while this node leads and an entry of its own term is committed. Only then does it know the whole log. */
  get isReadyLeader(): boolean {
    return this.core?.role === 'leader' && this.status().ready;
  }

  /** Founds a cluster of these members; `rejected` when the disk is not empty. `done` once it is on disk. */
  bootstrap(members: readonly Member[]): Promise<Outcome<object>> {
    const configuration = { members, timing: clusterTimingOf(this.options.timing) };
    return this.cluster.found(() => this.pump.ask((id) => ({ type: 'bootstrap', id, configuration })));
  }

  /** Permanently joins a cluster. @throws StorageError when the disk belongs to another */
  adoptCluster(clusterId: string): Promise<void> {
    return this.cluster.adopt(clusterId);
  }

  /** Commits a command and returns what the state machine made of it. `data` must not change afterwards. */
  propose(data: Uint8Array): Promise<Outcome<{ result: Result }>> {
    return this.application.propose(data);
  }

  /** Waits until everything that was committed anywhere before the call is applied here. Leader only. */
  readBarrier(): Promise<Outcome<object>> {
    return this.application.readBarrier();
  }

  /**
   * The first half of a transfer, for an application that must stop something before it. Waits until the voter has
   * everything that was in the log, while this node leads as usual. `rejected` (`transfer-timeout`, with what the voter
   * lacks): a transfer to it would fail now. Has no other effect. @throws the signal's reason
   */
  prepareTransfer(to: NodeId, signal?: AbortSignal): Promise<Outcome<object>> {
    return unlessAborted(
      this.pump.ask((id) => ({ type: 'prepareTransfer', id, to })),
      signal,
    );
  }

  /**
   * Transfers leadership, by default to the best successor. The target catches up while proposals are still accepted.
   * `done`: another node leads. `rejected`: this transfer had no effect, because it was not possible or, with
   * `transfer-in-progress`, because another one is running (`detail` names its target), which may still fail. If the
   * core cannot know the outcome in time, the node finds out who leads now, so that a transfer that succeeded is not
   * reported as a failure (op-conductor #22924). `unknown` then means that this node still leads, or that no leader is
   * known.
   */
  async transferLeadership(to?: NodeId): Promise<Outcome<object>> {
    const outcome = await this.pump.ask((id) => ({ type: 'transfer', id, to }));
    if (outcome.outcome !== 'unknown') return outcome;
    return findTransferOutcome(
      {
        nodeId: this.nodeId,
        events: this,
        isRunning: () => this.pump.isRunning,
        status: () => this.status(),
        confirmLeadership: () => this.pump.ask((id) => ({ type: 'read', id })),
      },
      outcome,
      2 * this.timing.electionTimeoutMs,
    );
  }

  /**
   * What became of a proposal or change that ended as `unknown`, on this or another node. `done` or `rejected`
   * (`superseded`) once the cluster has decided about its entry. `unknown` again when the signal comes first, or when the
   * log of this node no longer reaches back to it.
   */
  outcomeOf(at: LogPosition, signal: AbortSignal): Promise<Outcome<object>> {
    const node = {
      events: this,
      isRunning: () => this.pump.isRunning,
      fateOf: (position: LogPosition) => this.running.fateOf(position),
    };
    return findEntryOutcome(node, at, signal);
  }

  /**
   * Makes one change. `expectedIndex`: only if the configuration is still the one of that index. Without `force` it is
   * refused (`would-lose-quorum`) if the voters that answer now would not be a majority afterwards.
   */
  changeMembership(
    change: MembershipChange,
    expectedIndex?: number,
    { force = false }: { force?: boolean } = {},
  ): Promise<Outcome<object>> {
    return this.changes.ask((id) => ({ type: 'changeMembership', id, change, expectedIndex, force }));
  }

  /** Changes the timing of the whole cluster, through the log; `rejected` when no cluster can run with it. */
  setTiming(timing: ClusterTiming, expectedIndex?: number): Promise<Outcome<object>> {
    return this.changes.ask((id) => ({
      type: 'setTiming',
      id,
      timing: clusterTimingOf(timing),
      expectedIndex,
    }));
  }

  /**
   * Replaces one voter by another, both steps or neither (joint consensus, Raft thesis §4.3). The newcomer should be a
   * non-voter that has the log, or commits wait for it. `done` once the old member is out.
   */
  replaceMember(
    id: NodeId,
    by: { id: NodeId; address: string; incarnation: string },
    expectedIndex?: number,
    options: { force?: boolean } = {},
  ): Promise<Outcome<object>> {
    return this.changeMembership({ type: 'replace', id, by }, expectedIndex, options);
  }

  /** How fit this node is to lead, an integer below 2^32; 0 is unfit. Travels to the leader with every heartbeat. */
  setEligibility(value: number): void {
    this.pump.deliver({ type: 'eligibility', value });
  }

  /** Entries from the log, even if no longer in memory: at least one, and no more after `maxBytes`. */
  readEntries(from: number, to: number, maxBytes: number): Promise<LoadedEntry[]> {
    return this.application.readEntries(from, to, maxBytes);
  }

  private get running(): RaftCore {
    if (!this.core) throw new Error('the node is not open');
    return this.core;
  }

  private makeTimer(): WakeUpTimer {
    return new WakeUpTimer({
      now: () => performance.now(),
      onWakeUp: (lateMs) => this.timingWatch.wokeUp(lateMs),
      onLate: (lateMs) => this.stalled(lateMs),
      onDue: () => this.pump.deliver({ type: 'tick' }),
      toleranceMs: () => Math.max(25, this.timing.heartbeatIntervalMs / 2),
    });
  }

  private carryOut(output: Exclude<Output, { type: 'answer' }>, exchangeId: number | undefined): void {
    switch (output.type) {
      case 'persist':
        return this.disk.persist(output, this.running.role === 'leader', this.cluster.foundedBy(output.seq));
      case 'send':
        return this.send(output.to, output.message);
      case 'commit':
        this.emit('committed', this.application.commit(output.index));
        return;
      case 'restore':
        return this.application.restore(output.snapshot);
      case 'event':
        return this.onCoreEvent(output.event, exchangeId);
      case 'halt':
        return this.fatal(new Error(`raft invariant broken: ${output.reason}`));
    }
  }

  private stored(seq: number, durationMs: number): void {
    this.cluster.stored(seq);
    this.pump.deliver({ type: 'stored', seq });
    this.timingWatch.sync(durationMs);
    this.emit('stored', durationMs);
  }

  private send(to: NodeId, message: Message): void {
    if (isResponse(message)) this.pump.answerPeer(message);
    else this.peers.send(to, message);
  }

  private useTiming(): void {
    const { index, configuration } = this.status().configuration;
    this.timingWatch.use(this.timing, configuration.timing ? `entry ${index}` : 'this node');
  }

  private onCoreEvent(event: CoreEvent, exchangeId: number | undefined): void {
    this.eventLog.note(event);
    switch (event.type) {
      case 'role':
        if (event.term > this.term) this.pump.abandonPeers(exchangeId);
        if (event.role === 'follower' && event.leader !== null) this.peers.forgetSilences();
        this.term = event.term;
        this.emit('role', event);
        return;
      case 'leaderReady':
        this.emit('leaderReady');
        return;
      case 'configuration':
        this.useTiming();
        this.peers.connect(event.configuration.members);
        this.emit('configuration', event);
        return;
      case 'electionStarted':
        this.emit('electionStarted', event);
        return;
      case 'reverted':
        this.emit('reverted', event);
        return;
      default:
        return;
    }
  }

  private stalled(lateMs: number): void {
    const line = { lateMs: Math.round(lateMs) };
    if (lateMs >= this.timing.electionTimeoutMs / 2) this.logger.warn(line, 'event loop stalled');
    else this.logger.debug(line, 'event loop stalled');
    this.pump.deliver({ type: 'stalled', forMs: lateMs });
  }

  private fatal(error: Error): void {
    if (this.ended) return;
    this.end();
    this.logger.fatal({ err: error }, 'node cannot continue');
    this.options.onFatal(error);
  }

  /** From here on nothing is accepted or acknowledged. Earlier requests may or may not take effect. */
  private end(): void {
    const isFirst = !this.ended;
    this.ended = true;
    this.cluster.end();
    this.disk.end();
    this.snapshots.end();
    this.pump.end();
    this.application.end();
    if (isFirst) this.emit('stopped');
  }

  private async close(): Promise<void> {
    this.end();
    await this.peers.stop();
    await this.options.storage.close();
  }
}

function isResponse(message: Message): message is ResponseMessage {
  return message.type.endsWith('Response');
}

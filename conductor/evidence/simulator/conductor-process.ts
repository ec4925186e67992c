import type { Logger } from 'pino';
import { HealthMonitor } from '../../../health/health-monitor.js';
import {
  RaftNode,
  type ClusterTiming,
  type Limits,
  type MemoryDisk,
  type Retention,
} from '../../../raft/index.js';
import { RpcError } from '../../../rpc/server/json-rpc/rpc-error.js';
import type { ConductorStatus } from '../../../rpc/server/conductor-status.js';
import { statusOfMember, type AskStatus } from '../../api/cluster-status.js';
import { Conductor } from '../../api/conductor.js';
import { nodeStatus } from '../../api/node-status.js';
import { RecordReaders } from '../../api/record-readers.js';
import { voterReports } from '../../api/voter-reports.js';
import { ChainHistory } from '../../chain/chain-history.js';
import { ChainStateMachine, type CommandVerdict } from '../../chain/chain-state-machine.js';
import { RECORD_FORMAT } from '../../chain/record.js';
import { logVerdict } from '../../chain/log-verdict.js';
import { HeadResetter } from '../../commit/head-resetter.js';
import { PayloadCommitter } from '../../commit/payload-committer.js';
import { Recorder } from '../../commit/recorder.js';
import { Turns } from '../../commit/turns.js';
import { BlockRhythm } from '../../control/block-rhythm.js';
import { Controller } from '../../control/controller.js';
import { LocalNode } from '../../control/local-node.js';
import { Succession } from '../../control/succession.js';
import { Switches } from '../../control/switches.js';
import { untilConductorEnabled } from '../../control/until-conductor-enabled.js';
import { LogKnowledge } from '../../maintenance/log-knowledge.js';
import { MaintenanceService } from '../../maintenance/maintenance-service.js';
import { MembershipService } from '../../membership/membership-service.js';
import { virtualSleep as sleep } from '../../testing/virtual-sleep.js';
import type { RaftNetwork } from './cluster/raft-network.js';
import { SlowStorage } from './cluster/slow-storage.js';
import { LocalClients, type LocalEnvironment } from './node/local-clients.js';
import { ObservedMachine, type Watcher } from './observed-machine.js';
import { Lifetime } from './time/lifetime.js';
import { EPOCH_MS } from './time/virtual-clock.js';

/** The part of a Baton's configuration that matters here. */
export interface ConductorSettings {
  timing: ClusterTiming;
  limits: Limits;
  retention: Retention;
  pollMs: number;
  healthIntervalMs: number;
  unsafeIntervalS: number;
  roundRobin: boolean;
  crashEvidence: boolean;
  /** It has no node. */
  isWitness: boolean;
}

export interface ConductorEnvironment extends LocalEnvironment {
  network: RaftNetwork;
  disk: MemoryDisk;
  /** Host of its address. */
  place: string;
  diskOptions: { writeMs: () => number; survivesDeath: () => boolean };
  logger: Logger;
  watcher: Watcher;
  /** The process cannot continue. */
  onFatal: (error: Error) => void;
}

/** As in conductor/process/assemble.ts. */
const CALL_TIMEOUT_MS = 10_000;
const CATCH_UP_TIMEOUT_MS = 3000;
const STUCK_AFTER_MS = 10_000;
const PROBE_TIMEOUT_MS = 1000;

/**
 * One Baton process: the parts of production, wired as in conductor/process/assemble.ts and started in the order of
 * conductor/process/service.ts. Disk, network and the calls to the local node are those of the simulation.
 */
export class ConductorProcess {
  readonly raft: RaftNode<CommandVerdict>;
  readonly machine: ChainStateMachine;
  readonly conductor: Conductor;
  readonly controller: Controller;
  private readonly recorder: Recorder;
  private readonly maintenance: MaintenanceService;
  private readonly knowledge: LogKnowledge;
  readonly lifetime: Lifetime;
  private isOpen = false;
  private readonly localNode: LocalNode;
  private readonly health: HealthMonitor;
  private readonly switches = new Switches({ paused: false });
  /** The pause that is in force, and when this process had it from the log. */
  private learnt: { id: string | undefined; atMs: number } = { id: undefined, atMs: 0 };
  private readonly ending = new AbortController();
  private readonly clients: LocalClients;

  constructor(
    readonly nodeId: string,
    private readonly settings: ConductorSettings,
    private readonly environment: ConductorEnvironment,
  ) {
    const { clock, network, logger, watcher, disk, place, diskOptions, onFatal } = environment;
    const lifetime = new Lifetime(clock);
    this.lifetime = lifetime;
    const { opNode, execution } = (this.clients = new LocalClients(environment, lifetime));
    const machine = new ChainStateMachine((block, verdict) => logVerdict(logger, block, verdict));
    this.machine = machine;
    const chain = machine.live;
    const { timing, limits, retention, crashEvidence } = settings;
    const raft = new RaftNode<CommandVerdict>({
      ...{ nodeId, limits, retention, crashEvidence, onFatal },
      priority: 0,
      timing: {
        ...timing,
        requestTimeoutMs: 60_000,
        transferTimeoutMs: Math.max(1000, timing.electionTimeoutMs),
      },
      storage: new SlowStorage(disk, lifetime, diskOptions),
      stateMachine: new ObservedMachine(machine, nodeId, watcher),
      // Raft's log lines contain random ids, so they are not part of the trace.
      logger: logger.child({}, { level: 'silent' }),
    });
    this.raft = raft;
    raft.on('identityUsedTwice', (peer) => watcher.identityUsedTwice(nodeId, peer));
    raft.on('electionStarted', ({ cause, term }) => {
      if (cause === 'leader-gone') watcher.leaderGone(nodeId, term);
    });
    raft.on('role', ({ role, term }) => watcher.role(nodeId, role, term));
    const history = new ChainHistory(machine, (from, to, max) => raft.readEntries(from, to, max));
    const rhythm = new BlockRhythm(chain);
    const localNode = new LocalNode({
      ...{ opNode, execution, history },
      isAbsent: settings.isWitness,
      isBlockOverdue: () => rhythm.isOverdue(performance.now()),
      pollIntervalMs: settings.pollMs,
      timeoutMs: PROBE_TIMEOUT_MS,
    });
    this.localNode = localNode;
    const health = new HealthMonitor({
      probes: {
        syncStatus: { call: (options) => opNode.syncStatus(options), timeoutMs: PROBE_TIMEOUT_MS },
        peerStats: { call: (options) => opNode.peerStats(options), timeoutMs: PROBE_TIMEOUT_MS },
      },
      limits: { unsafeIntervalSeconds: settings.unsafeIntervalS, minPeerCount: 1 },
      intervalMs: settings.healthIntervalMs,
      now: Date.now,
      onReport: (report) => this.controller.healthChanged(report),
    });
    this.health = health;
    const { switches } = this;
    const succession = new Succession({
      raft,
      roundRobin: settings.roundRobin,
      peerTimeoutMs: () => Math.max(raft.timing.leaseTimeoutMs, 2 * raft.timing.heartbeatIntervalMs),
    });
    const controlLogger = logger.child({ part: 'control' });
    const committing = { log: raft, chain, turns: new Turns(), logger: controlLogger };
    const committer = new PayloadCommitter({
      ...committing,
      localChain: execution,
      firstBlockRefusal: () => this.controller.firstBlockRefusal,
    });
    const resetter = new HeadResetter(committing);
    committer.on('contradicted', (block) => void this.controller.contradicted(block));
    this.controller = new Controller({
      ...{ raft, chain, history, opNode, execution, localNode, health, succession, switches, sleep },
      isHalted: () => machine.records.maintenance.halt !== null,
      progressGraceMs: Math.max(3000, 2 * settings.healthIntervalMs),
      stuckAfterMs: Math.max(STUCK_AFTER_MS, settings.unsafeIntervalS * 1000),
      callTimeoutMs: CALL_TIMEOUT_MS,
      catchUpTimeoutMs: CATCH_UP_TIMEOUT_MS,
      handBack: { afterMs: null, intervalMs: 0 },
      priority: 0,
      knowsLog: () => this.knowledge.isKnown,
      askVoters: () => voterReports(status(), askStatus),
      resetHead: (request) => resetter.reset(request),
      logger: controlLogger,
    });
    raft.on('applied', () => {
      rhythm.committed(performance.now());
      const { pause } = this.switches;
      if (pause?.id !== this.learnt.id) this.learnt = { id: pause?.id, atMs: clock.nowMs };
    });
    this.controller.on('sequencerStarted', () => rhythm.committed(performance.now()));
    this.controller.on('sequencerStarted', () => watcher.startKnown(nodeId));
    this.controller.on('transferred', (success) => watcher.transferred(nodeId, success));
    const rpcPort = (): number => 8545;
    const { controller } = this;
    const status = (): ConductorStatus =>
      nodeStatus({
        raft,
        chain,
        localNode,
        health,
        switches,
        controller,
        records: machine.records,
        version: 'simulated',
        rpcPort,
        doubted: () => [],
      });
    const transport = network.transportOf({ nodeId, place }, lifetime, () => ({ status: status() }));
    const askStatus: AskStatus = (address, signal) =>
      transport.askHello<{ status?: unknown }>(address, signal);
    this.start = () => this.startWith(transport);
    const readers = new RecordReaders(status, askStatus, RECORD_FORMAT);
    this.recorder = new Recorder({
      log: raft,
      nodeId,
      records: machine.records,
      cannotRead: () => readers.missing(),
      role: () => raft.status(),
      atLeader: async (leader) => {
        throw new RpcError(`there is no RPC of ${leader} in this simulator`, { reason: 'leader-not-asked' });
      },
      sleep,
      // Virtual time has fractions of milliseconds.
      now: () => Math.floor(Date.now()),
      steadyNow: () => performance.now(),
    });
    this.maintenance = new MaintenanceService({
      ...{ nodeId, machine, controller, switches, sleep, recorder: this.recorder, logger: controlLogger },
      isReadyLeader: () => raft.isReadyLeader,
    });
    this.knowledge = new LogKnowledge({
      status: () => raft.status(),
      appliedByLeader: async (leader, timeoutMs) =>
        (await statusOfMember(status(), askStatus, leader, timeoutMs)).appliedIndex,
      now: () => performance.now(),
    });
    this.conductor = new Conductor({
      ...{ raft, chain, history, controller: this.controller, succession, switches, status },
      ...{ committer, resetter, recorder: this.recorder, maintenance: this.maintenance },
      ...{ localChain: execution, askStatus },
      membership: new MembershipService({
        raft,
        clusterId: () => raft.identity.clusterId,
        atLeader: async (leader) => {
          throw new Error(`there is no RPC of ${leader} in this simulator`);
        },
        hello: (address, signal) => transport.askHello(address, signal),
        sleep,
      }),
      // Nobody asks for it here, and nothing is recorded: each seed keeps its course.
      clusterHistory: { since: () => ({ schemaVersion: 1, answeredBy: nodeId, entries: [] }) },
      silentTransfer: false,
      logger: controlLogger,
    });
  }

  /** From here on the node votes, follows and leads, and controls its sequencer. */
  readonly start: () => Promise<void>;

  private async startWith(transport: ReturnType<RaftNetwork['transportOf']>): Promise<void> {
    const { raft, localNode, health } = this;
    const { logger } = this.environment;
    await raft.open();
    this.isOpen = true;
    await raft.start(transport);
    void this.maintenance.run(this.ending.signal);
    if (this.settings.isWitness) return localNode.start();
    health.start();
    const { opNode } = this.clients;
    const { signal } = this.ending;
    const enabled = await untilConductorEnabled({ opNode, localNode, logger, signal, sleep });
    if (enabled) localNode.start();
  }

  /** It may act, and its node has answered and has been checked. */
  get couldSequence(): boolean {
    return this.switches.active && this.localNode.state.reachable && this.health.latest() !== null;
  }

  /** Undefined before its disk is open. */
  get belongsToCluster(): boolean | undefined {
    return this.isOpen ? this.raft.identity.clusterId !== null : undefined;
  }

  /** All of the log that was there when it began: it acts. */
  get knowsLog(): boolean {
    return this.knowledge.isKnown;
  }

  /** It knows that operators have halted the cluster. */
  get isHalted(): boolean {
    return this.machine.records.maintenance.halt !== null && !this.switches.leaderOverridden;
  }

  get isPaused(): boolean {
    return this.switches.paused;
  }

  /** In its log, whether its time is over or not. */
  get knowsClusterPause(): boolean {
    return this.machine.records.maintenance.cluster !== null;
  }

  /** Time on the clock of the run; undefined while it is not paused. */
  get pausedSinceMs(): number | undefined {
    const { pause } = this.switches;
    if (!pause) return undefined;
    const learntMs = pause.id === this.learnt.id ? this.learnt.atMs : -Infinity;
    return Math.max(pause.sinceMs - EPOCH_MS, learntMs);
  }

  /** As at SIGTERM: transfers leadership. Then the process ends. */
  async retire(): Promise<void> {
    this.ending.abort();
    await this.controller.retire('SIGTERM');
  }

  /** Ends at once. From now on nothing that its parts do has an effect, and they log nothing. */
  kill(): void {
    this.lifetime.end();
    this.switches.stopped = true;
    this.ending.abort();
    void this.health.stop();
    void this.localNode.stop();
    void this.raft.stop();
  }
}

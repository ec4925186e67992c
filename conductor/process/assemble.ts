import { EventEmitter } from 'node:events';
import type { Logger } from 'pino';
import { HealthMonitor } from '../../health/health-monitor.js';
import type { RaftNode } from '../../raft/index.js';
import type { HttpTransport } from '../../raft/index.js';
import { ExecutionClient } from '../../rpc/clients/execution-client.js';
import { JsonRpcClient, type JsonRpcClientOptions } from '../../rpc/clients/json-rpc-client.js';
import { OpNodeClient } from '../../rpc/clients/op-node-client.js';
import type { FlashblocksProxy } from '../../rpc/flashblocks/flashblocks-proxy.js';
import type { ConductorStatus } from '../../rpc/server/conductor-status.js';
import { createRpcServer, type RpcServer, type RpcServerOptions } from '../../rpc/server/rpc-server.js';
import type { CallReport } from '../../rpc/server/json-rpc/call-report.js';
import { statusOfMember, type AskStatus } from '../api/cluster-status.js';
import { noteCommitAnswer } from '../api/commit-answers.js';
import { Conductor } from '../api/conductor.js';
import { callLeader, type WayToLeader } from './call-leader.js';
import { debugReport } from './debug-report.js';
import type { LogTail } from './log-tail.js';
import { nodeStatus } from '../api/node-status.js';
import { RecordReaders } from '../api/record-readers.js';
import { SequencerByHand } from '../api/sequencer-by-hand.js';
import { voterReports } from '../api/voter-reports.js';
import { ChainHistory } from '../chain/chain-history.js';
import { ChainStateMachine, type CommandVerdict } from '../chain/chain-state-machine.js';
import { RECORD_FORMAT } from '../chain/record.js';
import { logVerdict } from '../chain/log-verdict.js';
import { HeadResetter } from '../commit/head-resetter.js';
import { PayloadCommitter } from '../commit/payload-committer.js';
import { Recorder } from '../commit/recorder.js';
import { Turns } from '../commit/turns.js';
import type { Config } from '../config/config.js';
import { BlockRhythm } from '../control/block-rhythm.js';
import { Controller, type ControlTimes } from '../control/controller.js';
import { probesFrom, type HealthProbes } from '../control/health-probes.js';
import { LocalNode } from '../control/local-node.js';
import { NodeOverride } from '../control/node-override.js';
import { StrayAfterReset } from '../control/stray-after-reset.js';
import { Succession } from '../control/succession.js';
import { Switches } from '../control/switches.js';
import type { Webhook } from '../history/webhook.js';
import { formationAnswer } from '../membership/join-or-found.js';
import { LivingCluster } from '../membership/living-cluster.js';
import { LogKnowledge } from '../maintenance/log-knowledge.js';
import { MaintenanceService } from '../maintenance/maintenance-service.js';
import { MembershipService } from '../membership/membership-service.js';
import { Metrics } from '../metrics/metrics.js';
import { sleep } from '../time/sleep.js';
import { connectionLimits, openFilesMax, type ConnectionLimits } from './connection-limits.js';
import { createRaft, createSecurity, createTransport } from './consensus.js';
import { createFlashblocks } from './create-flashblocks.js';
import { recordHistory, type Reports } from './record-history.js';
import { recordAtLeader } from './record-at-leader.js';
import type { ConsensusSecurity } from './security/consensus-security.js';
import { Surroundings } from './surroundings.js';
import { tlsOfPorts, type TlsOfPorts } from './security/port-tls.js';
import { RpcSecurity } from './security/rpc-security.js';
import { TrustedLease } from './trusted-lease.js';

/** Longest that the local node may take to answer. */
const CALL_TIMEOUT_MS = 10_000;
const CATCH_UP_TIMEOUT_MS = 3000;
const STUCK_AFTER_MS = 10_000;
const NODE_POLL_MS = 250;

/** All parts of a process, wired to each other. Nothing runs yet. */
export interface Parts {
  readonly metrics: Metrics;
  readonly clients: Clients;
  readonly raft: RaftNode<CommandVerdict>;
  readonly transport: HttpTransport;
  /** Undefined when the consensus port is open. */
  readonly security: ConsensusSecurity | undefined;
  readonly livingCluster: LivingCluster;
  readonly localNode: LocalNode;
  readonly probes: HealthProbes;
  readonly health: HealthMonitor;
  readonly switches: Switches;
  readonly nodeOverride: NodeOverride;
  readonly controller: Controller;
  readonly conductor: Conductor;
  readonly maintenance: MaintenanceService;
  /** Undefined without a URL. */
  readonly webhook: Webhook | undefined;
  readonly rpc: RpcServer;
  readonly rpcSecurity: RpcSecurity;
  readonly portTls: TlsOfPorts;
  /** Undefined without an upstream. */
  readonly flashblocks: FlashblocksProxy | undefined;
  readonly bound: BoundPorts;
  readonly surroundings: Surroundings;
}

interface Limited {
  limits: ConnectionLimits;
}

/** Connections to the local node. */
interface Clients {
  opNode: OpNodeClient;
  execution: ExecutionClient;
  /** Separate connections: readers of the proxies must not delay the control loop. */
  proxies: { node: JsonRpcClient; execution: JsonRpcClient };
}

/** Filled in once they are bound. */
interface BoundPorts {
  rpcPort: number | undefined;
}

/** What a process has besides its configuration. */
interface ProcessContext {
  version: string;
  logger: Logger;
  /** The process must end: storage failed, or an invariant broke. */
  onFatal: (error: Error) => void;
  logTail: LogTail;
}

/** Builds all parts from the configuration. Each part uses only earlier ones. */
export function assemble(config: Config, context: ProcessContext): Parts {
  const { version, logger } = context;
  const controlLogger = logger.child({ part: 'control' });
  const metrics = new Metrics(version);
  const clients = createClients(config);
  const { opNode, execution } = clients;

  const reports = createReports(metrics, logger);

  const machine = new ChainStateMachine(
    (head, verdict) => reports.emit('applied', head, verdict),
    (entry) => reports.emit('recorded', entry),
  );
  const { live: chain, records } = machine;
  const raft = createRaft(config, machine, logger, context.onFatal);
  const history = new ChainHistory(machine, (from, to, max) => raft.readEntries(from, to, max));

  const rhythm = new BlockRhythm(chain);
  reports.on('applied', () => rhythm.committed(performance.now()));
  const nodeOverride = new NodeOverride({
    opNode,
    isSequencing: () => localNode.state.sequencerActive,
    logger: controlLogger,
  });
  const watched = { history, rhythm, override: nodeOverride };
  const { localNode, probes, health } = createHealth(config, clients, watched, reports);
  localNode.on('polled', () => void nodeOverride.look());
  const switches = new Switches(config);
  const isHalted = (): boolean => records.maintenance.halt !== null;
  const succession = new Succession({
    raft,
    roundRobin: config.raft.roundRobinLeaderTransfer,
    peerTimeoutMs: () => Math.max(raft.timing.leaseTimeoutMs, 2 * raft.timing.heartbeatIntervalMs),
  });
  const committing = { log: raft, chain, turns: new Turns(), logger: controlLogger };
  const committer = new PayloadCommitter({
    ...committing,
    localChain: execution,
    firstBlockRefusal: () => controller.firstBlockRefusal,
  });
  const resetter = new HeadResetter(committing);

  const controller: Controller = new Controller({
    ...{ raft, chain, history, opNode, execution, localNode, health, succession, switches },
    ...controlTimes(config),
    isHalted,
    priority: config.raft.priority,
    knowsLog: () => knowledge.isKnown,
    askVoters: () => voterReports(status(), askStatus),
    resetHead: (request) => resetter.reset(request),
    sleep,
    logger: controlLogger,
  });
  controller.on('sequencerStarted', () => rhythm.committed(performance.now()));
  reports.on('healthChecked', (report) => controller.healthChanged(report));
  const stray = new StrayAfterReset({ raft, localNode, opNode, logger: controlLogger });
  reports.on('applied', (_, { type }) => void (type === 'reset' && stray.headWasReset()));
  committer.on('contradicted', (block) => void controller.contradicted(block));
  metrics.watch(raft, controller);

  const bound: BoundPorts = { rpcPort: undefined };
  const rpcPort = (): number | undefined => bound.rpcPort;
  const doubted = (): ConductorStatus['doubted'] => transport.doubts();
  const surroundings = new Surroundings(config);
  const status = (): ConductorStatus =>
    nodeStatus({
      ...{ raft, chain, localNode, health, switches, controller, records, version, rpcPort, doubted },
      measured: () => raft.timingWatch.measured,
      machine: () => surroundings.machine,
      chainId: () => surroundings.chainId,
      rpcScheme: config.rpc.tls.cert === '' ? 'http' : 'https',
    });
  const livingCluster = new LivingCluster();
  const security = createSecurity(config, metrics.security, logger);
  const transport = createTransport(
    config,
    raft,
    logger,
    () => ({ ...formationAnswer(raft, config.raft.peers), status: status() }),
    (clusterId) => livingCluster.hear(clusterId),
    (request, member) => rpc.answerMember(request, member),
    security,
  );
  const askStatus: AskStatus = (address, signal) => transport.hello<{ status?: unknown }>(address, signal);
  const way: WayToLeader = { own: status, askStatus, ask: (...request) => transport.ask(...request) };
  const readers = new RecordReaders(status, askStatus, RECORD_FORMAT);
  const recorder = new Recorder({
    log: raft,
    nodeId: raft.nodeId,
    records,
    cannotRead: () => readers.missing(),
    role: () => raft.status(),
    atLeader: (leader, record, timeoutMs) => recordAtLeader(way, leader, record, timeoutMs),
    sleep,
    now: Date.now,
    steadyNow: () => performance.now(),
  });
  const maintenance = new MaintenanceService({
    ...{ nodeId: raft.nodeId, machine, recorder, controller, switches, sleep, logger: controlLogger },
    isReadyLeader: () => raft.isReadyLeader,
  });
  const knowledge = new LogKnowledge({
    status: () => raft.status(),
    appliedByLeader: async (leader, timeoutMs) =>
      (await statusOfMember(status(), askStatus, leader, timeoutMs)).appliedIndex,
    now: () => performance.now(),
  });
  const { clusterHistory, webhook } = recordHistory(config, {
    ...{ raft, machine, recorder, controller, reports, metrics },
    logger: logger.child({ part: 'history' }),
  });
  const conductor = new Conductor({
    ...{ raft, chain, history, controller, succession, switches, status },
    ...{ committer, resetter, recorder, maintenance, localChain: execution },
    membership: new MembershipService({
      raft,
      clusterId: () => raft.identity.clusterId,
      atLeader: (leader, call) => callLeader(way, leader, call),
      hello: (address, signal) => transport.hello(address, signal),
      sleep,
    }),
    askStatus,
    clusterHistory,
    silentTransfer: config.rpc.silentTransfer,
    logger: controlLogger,
  });

  conductor.on('handsOver', (to, by) => clusterHistory.handsOver(to, { type: 'transfer', reason: '' }, by));

  const onCall = (report: CallReport): void => {
    metrics.called(report);
    noteCommitAnswer(localNode.commits, report, performance.now());
  };
  const limits = connectionLimits(openFilesMax(), { flashblocks: config.flashblocks.upstreamUrl !== '' });
  if (limits.warning) logger.warn(limits.warning, 'open-file limit is low: accepting fewer connections');
  const byHand = new SequencerByHand({
    ...{ opNode, localNode, nodeOverride, switches, isHalted },
    leads: () => raft.status().role === 'leader' && raft.status().ready,
    logger: controlLogger,
  });
  const rpcSecurity = new RpcSecurity({
    rpc: config.rpc,
    logger: logger.child({ part: 'rpc' }),
    onRefusal: (refusal) => metrics.refused(refusal),
  });
  const portTls = tlsOfPorts(config, logger);
  const rpc: RpcServer = createRpc(config, context, {
    ...{ conductor, byHand, clients, metrics, limits, onCall, rpcSecurity, portTls },
    onChange: (report) => clusterHistory.called(report),
  });
  // Checks the lease, not the role: a process that was frozen reads its upstream before it learns of its successor.
  const lease = new TrustedLease(raft, undefined, (byMs) =>
    logger.warn({ byMs: Math.round(byMs) }, 'wall clock jumped: lease not trusted until it is renewed'),
  );
  const isLeader = (): boolean => switches.leaderOverridden || lease.isHeld();
  const flashblocks = createFlashblocks(config, {
    registry: metrics.registry,
    limits,
    tls: portTls.webSocket,
    isLeader,
    logger,
  });
  if (flashblocks) conductor.on('leadershipChanged', () => flashblocks.leadershipChanged());

  return Object.freeze({
    ...{
      metrics,
      clients,
      raft,
      transport,
      security,
      livingCluster,
      localNode,
      probes,
      health,
      switches,
      nodeOverride,
      controller,
      conductor,
      maintenance,
    },
    ...{ rpc, rpcSecurity, portTls, webhook, flashblocks, bound, surroundings },
  });
}

function createReports(metrics: Metrics, logger: Logger): EventEmitter<Reports> {
  const reports = new EventEmitter<Reports>();
  reports.on('applied', (head, verdict) => metrics.applied(head, verdict));
  reports.on('applied', (head, verdict) => logVerdict(logger, head, verdict));
  reports.on('healthChecked', (report) => metrics.healthChecked(report));
  return reports;
}

/** Clients of a witness. They fail at once, whatever they are asked. */
function createClients({ node, execution, witness }: Config): Clients {
  const to = (url: string): JsonRpcClientOptions =>
    witness
      ? { url: null, absence: 'this member is a witness: it has no node' }
      : { url, timeoutMs: CALL_TIMEOUT_MS };
  return {
    opNode: new OpNodeClient(to(node.rpcUrl)),
    execution: new ExecutionClient(to(execution.rpcUrl)),
    proxies: {
      node: new JsonRpcClient(to(node.rpcUrl)),
      execution: new JsonRpcClient(to(execution.rpcUrl)),
    },
  };
}

/** The parts that watch the local node. */
function createHealth(
  config: Config,
  { opNode, execution }: Clients,
  { history, rhythm, override }: { history: ChainHistory; rhythm: BlockRhythm; override: NodeOverride },
  reports: EventEmitter<Reports>,
): Pick<Parts, 'localNode' | 'probes' | 'health'> {
  const { intervalMs, probeTimeoutMs } = config.health;
  const localNode = new LocalNode({
    ...{ opNode, execution, history, override },
    isAbsent: config.witness,
    isBlockOverdue: () => rhythm.isOverdue(performance.now()),
    pollIntervalMs: Math.min(NODE_POLL_MS, intervalMs),
    timeoutMs: probeTimeoutMs,
  });
  const probes = probesFrom(config, opNode, Date.now);
  const health = new HealthMonitor({
    ...probes,
    intervalMs,
    now: Date.now,
    onReport: (report) => reports.emit('healthChecked', report),
  });
  return { localNode, probes, health };
}

function controlTimes({ health, raft }: Config): ControlTimes {
  return {
    progressGraceMs: Math.max(3000, 2 * health.intervalMs),
    stuckAfterMs: Math.max(STUCK_AFTER_MS, health.unsafeIntervalSeconds * 1000),
    callTimeoutMs: CALL_TIMEOUT_MS,
    catchUpTimeoutMs: CATCH_UP_TIMEOUT_MS,
    handBack: raft.handBack,
  };
}

function createRpc(
  config: Config,
  { version, logger, logTail }: ProcessContext,
  {
    conductor,
    byHand,
    clients,
    metrics,
    limits,
    onCall,
    onChange,
    rpcSecurity,
    portTls,
  }: Pick<Parts, 'conductor' | 'clients' | 'metrics' | 'rpcSecurity' | 'portTls'> &
    Limited &
    Pick<RpcServerOptions, 'onCall' | 'onChange'> & { byHand: SequencerByHand },
): RpcServer {
  const { rpc, witness } = config;
  return createRpcServer({
    api: conductor,
    byHand,
    debugReport: () => debugReport({ config, version, metrics, logTail, clients, conductor }),
    proxies: rpc.enableProxy && !witness ? clients.proxies : undefined,
    version,
    logger: logger.child({ part: 'rpc' }),
    host: rpc.listenHost,
    port: rpc.listenPort,
    bodyLimitBytes: rpc.bodyLimitBytes,
    connectionsMax: limits.rpc,
    ...(onCall && { onCall }),
    ...(onChange && { onChange }),
    access: rpcSecurity.access,
    tls: portTls.rpc.choice,
    local: rpc.local ?? undefined,
  });
}

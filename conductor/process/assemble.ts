import { EventEmitter } from 'node:events';
import type { Logger } from 'pino';
import { parseEndpoint, WEBSOCKET, withoutQuery } from '../../common/endpoint.js';
import { HealthMonitor } from '../../health/health-monitor.js';
import type { HealthReport } from '../../health/health-report.js';
import type { RaftNode } from '../../raft/index.js';
import type { HttpTransport } from '../../raft/index.js';
import { ExecutionClient } from '../../rpc/clients/execution-client.js';
import { JsonRpcClient, type JsonRpcClientOptions } from '../../rpc/clients/json-rpc-client.js';
import { OpNodeClient } from '../../rpc/clients/op-node-client.js';
import { FlashblocksMetrics } from '../../rpc/flashblocks/flashblocks-metrics.js';
import { FlashblocksProxy } from '../../rpc/flashblocks/flashblocks-proxy.js';
import type { ConductorStatus } from '../../rpc/server/conductor-status.js';
import { createRpcServer, type RpcServer } from '../../rpc/server/rpc-server.js';
import type { CallReport } from '../../rpc/server/json-rpc/call-report.js';
import type { AskStatus } from '../api/cluster-status.js';
import { noteCommitAnswer } from '../api/commit-answers.js';
import { Conductor } from '../api/conductor.js';
import { callLeader } from './call-leader.js';
import { nodeStatus } from '../api/node-status.js';
import { voterReports } from '../api/voter-reports.js';
import { ChainHistory } from '../chain/chain-history.js';
import { ChainStateMachine } from '../chain/chain-state-machine.js';
import type { CommittedHead, Verdict } from '../chain/chain-state.js';
import { logVerdict } from '../chain/log-verdict.js';
import { HeadResetter } from '../commit/head-resetter.js';
import { PayloadCommitter } from '../commit/payload-committer.js';
import { Turns } from '../commit/turns.js';
import type { Config } from '../config/config.js';
import { BlockRhythm } from '../control/block-rhythm.js';
import { Controller, type ControlTimes } from '../control/controller.js';
import { probesFrom, type HealthProbes } from '../control/health-probes.js';
import { LocalNode } from '../control/local-node.js';
import { Succession } from '../control/succession.js';
import { Switches } from '../control/switches.js';
import { formationAnswer } from '../membership/join-or-found.js';
import { LivingCluster } from '../membership/living-cluster.js';
import { MembershipService } from '../membership/membership-service.js';
import { Metrics } from '../metrics/metrics.js';
import { sleep } from '../time/sleep.js';
import { connectionLimits, openFilesMax, type ConnectionLimits } from './connection-limits.js';
import { createRaft, createTransport } from './consensus.js';
import { Surroundings } from './surroundings.js';
import { PortTls } from './port-tls.js';
import { RpcSecurity } from './rpc-security.js';
import { TrustedLease } from './trusted-lease.js';

/** Longest that the local node may take for an answer. */
const CALL_TIMEOUT_MS = 10_000;
const CATCH_UP_TIMEOUT_MS = 3000;
const STUCK_AFTER_MS = 10_000;
const NODE_POLL_MS = 250;

/** All parts of a process, wired to each other; nothing runs yet. */
export interface Parts {
  readonly metrics: Metrics;
  readonly clients: Clients;
  readonly raft: RaftNode<Verdict>;
  readonly transport: HttpTransport;
  readonly livingCluster: LivingCluster;
  readonly localNode: LocalNode;
  readonly probes: HealthProbes;
  readonly health: HealthMonitor;
  readonly switches: Switches;
  readonly controller: Controller;
  readonly conductor: Conductor;
  readonly rpc: RpcServer;
  readonly rpcSecurity: RpcSecurity;
  readonly portTls: Record<'rpc' | 'metrics' | 'webSocket', PortTls>;
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
  /** Of their own: readers of the proxies must not keep the control loop waiting. */
  proxies: { node: JsonRpcClient; execution: JsonRpcClient };
}

/** Noted here once they are bound. */
interface BoundPorts {
  rpcPort: number | undefined;
}

/** What parts tell those that are built after them. */
interface Reports {
  applied: [head: CommittedHead, verdict: Verdict];
  healthChecked: [report: HealthReport];
}

/** What of one process is not in its configuration. */
interface ProcessContext {
  version: string;
  logger: Logger;
  /** The process must end: storage failed, or an invariant broke. */
  onFatal: (error: Error) => void;
}

/** Builds all parts from the configuration, each from those before it. */
export function assemble(config: Config, context: ProcessContext): Parts {
  const { version, logger } = context;
  const controlLogger = logger.child({ part: 'control' });
  const metrics = new Metrics(version);
  const clients = createClients(config);
  const { opNode, execution } = clients;

  const reports = createReports(metrics, logger);

  const machine = new ChainStateMachine((head, verdict) => reports.emit('applied', head, verdict));
  const chain = machine.live;
  const raft = createRaft(config, machine, logger, context.onFatal);
  const history = new ChainHistory(machine, (from, to, max) => raft.readEntries(from, to, max));

  const rhythm = new BlockRhythm(chain);
  reports.on('applied', () => rhythm.committed(performance.now()));
  const { localNode, probes, health } = createHealth(config, clients, { history, rhythm }, reports);
  const switches = new Switches(config);
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
    priority: config.raft.priority,
    askVoters: () => voterReports(status(), askStatus),
    resetHead: (request) => resetter.reset(request),
    sleep,
    logger: controlLogger,
  });
  controller.on('sequencerStarted', () => rhythm.committed(performance.now()));
  reports.on('healthChecked', (report) => controller.healthChanged(report));
  committer.on('contradicted', (block) => void controller.contradicted(block));
  metrics.watch(raft, controller);

  const bound: BoundPorts = { rpcPort: undefined };
  const rpcPort = (): number | undefined => bound.rpcPort;
  const doubted = (): ConductorStatus['doubted'] => transport.doubts();
  const surroundings = new Surroundings(config);
  const status = (): ConductorStatus =>
    nodeStatus({
      ...{ raft, chain, localNode, health, switches, controller, version, rpcPort, doubted },
      measured: () => raft.timingWatch.measured,
      machine: () => surroundings.machine,
      chainId: () => surroundings.chainId,
    });
  const livingCluster = new LivingCluster();
  const transport = createTransport(
    config,
    raft,
    logger,
    () => ({ ...formationAnswer(raft, config.raft.peers), status: status() }),
    (clusterId) => livingCluster.hear(clusterId),
  );
  const askStatus: AskStatus = (address, signal) => transport.hello<{ status?: unknown }>(address, signal);
  const conductor = new Conductor({
    ...{ raft, chain, history, controller, succession, switches, status },
    ...{ committer, resetter, localChain: execution },
    membership: new MembershipService({
      raft,
      clusterId: () => raft.identity.clusterId,
      atLeader: (leader, call) => callLeader(status(), askStatus, leader, call),
      hello: (address, signal) => transport.hello(address, signal),
      sleep,
    }),
    askStatus,
    silentTransfer: config.rpc.silentTransfer,
    logger: controlLogger,
  });

  const onCall = (report: CallReport): void => {
    metrics.called(report);
    noteCommitAnswer(localNode.commits, report, performance.now());
  };
  const limits = connectionLimits(openFilesMax(), { flashblocks: config.flashblocks.upstreamUrl !== '' });
  if (limits.warning) logger.warn(limits.warning, 'open-file limit is low: accepting fewer connections');
  const rpcSecurity = new RpcSecurity({
    rpc: config.rpc,
    logger: logger.child({ part: 'rpc' }),
    onRefusal: (refusal) => metrics.refused(refusal),
  });
  const portTls = {
    rpc: new PortTls({ paths: config.rpc.tls, prefix: 'rpc.tls', logger }),
    metrics: new PortTls({ paths: config.metrics.tls, prefix: 'metrics.tls', logger }),
    webSocket: new PortTls({ paths: config.flashblocks.tls, prefix: 'websocket.tls', logger }),
  };
  const rpc = createRpc(config, context, { conductor, clients, limits, onCall, rpcSecurity, portTls });
  // By the lease, not by the role: a process that was frozen reads its upstream before it learns of its successor.
  const lease = new TrustedLease(raft, undefined, (byMs) =>
    logger.warn({ byMs: Math.round(byMs) }, 'wall clock jumped: lease not trusted until it is renewed'),
  );
  const isLeader = (): boolean => switches.leaderOverridden || lease.isHeld();
  const flashblocks = createFlashblocks(config, { metrics, limits, portTls }, logger, isLeader);
  if (flashblocks) conductor.on('leadershipChanged', () => flashblocks.leadershipChanged());

  return Object.freeze({
    ...{
      metrics,
      clients,
      raft,
      transport,
      livingCluster,
      localNode,
      probes,
      health,
      switches,
      controller,
      conductor,
    },
    ...{ rpc, rpcSecurity, portTls, flashblocks, bound, surroundings },
  });
}

function createReports(metrics: Metrics, logger: Logger): EventEmitter<Reports> {
  const reports = new EventEmitter<Reports>();
  reports.on('applied', (head, verdict) => metrics.applied(head, verdict));
  reports.on('applied', (head, verdict) => logVerdict(logger, head, verdict));
  reports.on('healthChecked', (report) => metrics.healthChecked(report));
  return reports;
}

/** Those of a witness fail at once, whatever they are asked. */
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

/** What watches the local node. */
function createHealth(
  config: Config,
  { opNode, execution }: Clients,
  { history, rhythm }: { history: ChainHistory; rhythm: BlockRhythm },
  reports: EventEmitter<Reports>,
): Pick<Parts, 'localNode' | 'probes' | 'health'> {
  const { intervalMs, probeTimeoutMs } = config.health;
  const localNode = new LocalNode({
    ...{ opNode, execution, history },
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
  { rpc, witness }: Config,
  { version, logger }: ProcessContext,
  {
    conductor,
    clients,
    limits,
    onCall,
    rpcSecurity,
    portTls,
  }: Pick<Parts, 'conductor' | 'clients' | 'rpcSecurity' | 'portTls'> &
    Limited & { onCall: (report: CallReport) => void },
): RpcServer {
  return createRpcServer({
    api: conductor,
    proxies: rpc.enableProxy && !witness ? clients.proxies : undefined,
    version,
    logger: logger.child({ part: 'rpc' }),
    host: rpc.listenHost,
    port: rpc.listenPort,
    bodyLimitBytes: rpc.bodyLimitBytes,
    connectionsMax: limits.rpc,
    onCall,
    access: rpcSecurity.access,
    tls: portTls.rpc.choice,
    local: rpc.local ?? undefined,
  });
}

/** Undefined without an upstream; its metrics are always there, as op-conductor's are. */
function createFlashblocks(
  config: Config,
  { metrics, limits, portTls }: Pick<Parts, 'metrics' | 'portTls'> & Limited,
  logger: Logger,
  isLeader: () => boolean,
): FlashblocksProxy | undefined {
  const { upstreamUrl, listenHost, listenPort, compression } = config.flashblocks;
  const source = upstreamUrl === '' ? '' : withoutQuery(parseEndpoint(upstreamUrl, WEBSOCKET));
  const observer = new FlashblocksMetrics(metrics.registry, source);
  if (upstreamUrl === '') return undefined;
  return new FlashblocksProxy({
    upstreamUrl,
    host: listenHost,
    port: listenPort,
    compression,
    maxClients: limits.flashblocksClients,
    tls: portTls.webSocket.choice,
    isLeader,
    observer,
    logger: logger.child({ part: 'flashblocks' }),
  });
}

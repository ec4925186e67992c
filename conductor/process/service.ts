import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { HealthMonitor } from '../../health/health-monitor.js';
import { RaftNode, type Member } from '../../raft/index.js';
import { LevelStorage } from '../../raft/storage/level-storage.js';
import { HttpTransport } from '../../raft/transport/http-transport.js';
import { ExecutionClient } from '../../rpc/clients/execution-client.js';
import { JsonRpcClient } from '../../rpc/clients/json-rpc-client.js';
import { OpNodeClient } from '../../rpc/clients/op-node-client.js';
import { FlashblocksMetrics, FlashblocksProxy } from '../../rpc/flashblocks/index.js';
import { createRpcServer, type HttpServer } from '../../rpc/server/rpc-server.js';
import { ChainHistory } from '../chain/chain-history.js';
import { ChainStateMachine } from '../chain/chain-state-machine.js';
import type { CommittedBlock, Verdict } from '../chain/chain-state.js';
import { Conductor } from '../api/conductor.js';
import type { Config } from '../config/config.js';
import { LocalNode } from '../control/local-node.js';
import { healthOf, type ConfiguredHealth } from '../control/health-probes.js';
import { formCluster, peersDigest, type FormationAnswer } from '../membership/formation.js';
import { MembershipService } from '../membership/membership-service.js';
import { Metrics } from '../metrics/metrics.js';
import { startMetricsServer } from '../metrics/metrics-server.js';
import { laneTimeouts, limitsOf, retentionOf, timingConflict, timingOf } from './raft-options.js';

const MIB = 1024 * 1024;
const EMPTY_MEMBER =
  'the storage directory belongs to a cluster but has no log: its leader will send it; if there is no such cluster, wipe the directory';
const NODE_POLL_MS = 250;
const CALL_TIMEOUT_MS = 10_000;
const CATCH_UP_TIMEOUT_MS = 3000;
const STUCK_AFTER_MS = 10_000;
const DIAL_TIMEOUT_MS = 5000;
const PROMOTION_TIMEOUT_MS = 30_000;
const FORMATION_RETRY_MS = 250;
const CONDUCTOR_CHECK_RETRY_MS = NODE_POLL_MS;

/**
 * One Baton process: builds all parts from the configuration, starts them in order and stops them in reverse.
 */
export class Service {
  private readonly metrics: Metrics;
  private readonly opNode: OpNodeClient;
  private readonly execution: ExecutionClient;
  private readonly raft: RaftNode<Verdict>;
  private readonly transport: HttpTransport;
  private readonly machine: ChainStateMachine;
  private readonly localNode: LocalNode;
  private readonly checks: ConfiguredHealth;
  private readonly health: HealthMonitor;
  private readonly conductor: Conductor;
  private readonly rpc: HttpServer;
  /** Connections of their own: readers of the proxies must not keep the control loop waiting. */
  private readonly proxies: { node: JsonRpcClient; execution: JsonRpcClient };
  private readonly flashblocks: FlashblocksProxy | undefined;
  private readonly ending = new AbortController();
  private readonly closers: (() => Promise<void>)[] = [];
  private opened = false;
  private timingWarning: string | undefined;
  private rpcPort: number | undefined;
  private stopping: Promise<void> | undefined;

  constructor(
    private readonly config: Config,
    private readonly version: string,
    private readonly logger: Logger,
    /** The process must end: storage failed, an invariant broke, or op-node is not run with a conductor. */
    private readonly onFatal: (error: Error) => void,
  ) {
    const { raft, rpc, health, node, execution } = config;
    this.metrics = new Metrics(version);
    this.opNode = new OpNodeClient({ url: node.rpcUrl, timeoutMs: CALL_TIMEOUT_MS });
    this.execution = new ExecutionClient({ url: execution.rpcUrl, timeoutMs: CALL_TIMEOUT_MS });
    this.machine = new ChainStateMachine((block, verdict) => this.onApplied(block, verdict));
    this.raft = new RaftNode({
      nodeId: raft.serverId,
      priority: raft.priority,
      crashEvidence: raft.crashEvidence,
      timing: timingOf(config),
      limits: limitsOf(rpc.bodyLimitBytes),
      retention: retentionOf(config),
      storage: new LevelStorage({ directory: path.join(raft.storageDir, raft.serverId, 'baton') }),
      stateMachine: this.machine,
      logger: logger.child({ part: 'raft' }),
      onFatal,
    });
    this.transport = new HttpTransport({
      bind: { host: config.consensus.listenHost, port: config.consensus.listenPort },
      bodyLimitBytes: rpc.bodyLimitBytes + MIB,
      timeouts: () => laneTimeouts(this.raft.timing),
      logger: logger.child({ part: 'transport' }),
      hello: () => ({ ...this.formationAnswer(), status: this.conductor.status() }),
    });
    this.localNode = new LocalNode({
      opNode: this.opNode,
      execution: this.execution,
      pollIntervalMs: Math.min(NODE_POLL_MS, health.intervalMs),
      timeoutMs: health.probeTimeoutMs,
      onPoll: () => this.conductor.changed(),
    });
    this.checks = healthOf(config, this.opNode, Date.now);
    this.health = new HealthMonitor({
      ...this.checks,
      intervalMs: health.intervalMs,
      now: Date.now,
      onReport: (report) => {
        this.metrics.healthChecked(report);
        this.conductor.healthChanged(report);
      },
    });
    this.conductor = new Conductor({
      raft: this.raft,
      chain: this.machine.live,
      history: new ChainHistory(this.machine, (from, to, max) => this.raft.readEntries(from, to, max)),
      membership: new MembershipService({
        raft: this.raft,
        clusterId: () => this.raft.identity.clusterId,
        hello: (address, signal) => this.transport.hello(address, signal),
        dialTimeoutMs: DIAL_TIMEOUT_MS,
        catchUpTimeoutMs: PROMOTION_TIMEOUT_MS,
      }),
      opNode: this.opNode,
      execution: this.execution,
      localNode: this.localNode,
      health: this.health,
      version,
      rpcPort: () => this.rpcPort,
      askStatus: (address, signal) => this.transport.hello<{ status?: unknown }>(address, signal),
      silentTransfer: rpc.silentTransfer,
      logger: logger.child({ part: 'control' }),
      paused: config.paused,
      roundRobin: raft.roundRobinLeaderTransfer,
      peerTimeoutMs: () =>
        Math.max(this.raft.timing.leaseTimeoutMs, 2 * this.raft.timing.heartbeatIntervalMs),
      progressGraceMs: Math.max(3000, 2 * health.intervalMs),
      stuckAfterMs: Math.max(STUCK_AFTER_MS, health.unsafeIntervalSeconds * 1000),
      callTimeoutMs: CALL_TIMEOUT_MS,
      catchUpTimeoutMs: CATCH_UP_TIMEOUT_MS,
    });
    this.proxies = {
      node: new JsonRpcClient({ url: node.rpcUrl, timeoutMs: CALL_TIMEOUT_MS }),
      execution: new JsonRpcClient({ url: execution.rpcUrl, timeoutMs: CALL_TIMEOUT_MS }),
    };
    this.rpc = createRpcServer({
      api: this.conductor,
      proxies: rpc.enableProxy ? this.proxies : undefined,
      version,
      logger: logger.child({ part: 'rpc' }),
      host: rpc.listenHost,
      port: rpc.listenPort,
      bodyLimitBytes: rpc.bodyLimitBytes,
      onCall: (report) => this.metrics.called(report),
    });
    this.flashblocks = this.createFlashblocksProxy();
    this.metrics.watch(this.raft, this.conductor);
    this.conductor.on('stopRequested', () => void this.stop('conductor_stop'));
  }

  /** @throws StorageError, or the system's error when a port cannot be bound */
  async start(): Promise<{ rpcPort: number; consensusPort: number }> {
    this.raft.on('configuration', () => this.warnOfOtherTiming());
    await this.raft.open();
    this.opened = true;
    this.warnOfOtherTiming();
    this.closers.push(() => this.raft.stop());
    const { port: consensusPort } = await this.raft.start(this.transport);
    await this.joinOrFound(consensusPort);
    const { port: rpcPort } = await this.rpc.start();
    this.rpcPort = rpcPort;
    this.closers.push(() => this.rpc.stop(1000));
    const webSocket = await this.flashblocks?.start();
    this.closers.push(async () => this.flashblocks?.stop(1000));
    this.closers.push(() => this.localNode.stop());
    this.health.start();
    this.closers.push(() => this.health.stop());
    if (this.config.metrics.enabled) {
      this.metrics.addProcess();
      const server = await startMetricsServer({
        registry: this.metrics.registry,
        host: this.config.metrics.listenHost,
        port: this.config.metrics.listenPort,
        refresh: () => this.metrics.refresh(this.conductor.status()),
      });
      this.closers.push(() => server.close());
    }
    // Not before: a sequencer that does not ask its conductor must not be started by it.
    void this.untilConductorEnabled().then((enabled) => {
      if (enabled) this.localNode.start();
    });
    this.metrics.up();
    const ports = { rpcPort, consensusPort, webSocketPort: webSocket?.port };
    this.logger.info({ ...ports, version: this.version }, 'started');
    return { rpcPort, consensusPort };
  }

  /** Hands over, then closes everything. Calling it again waits for the first call. */
  stop(reason: string): Promise<void> {
    this.stopping ??= this.stopOnce(reason);
    return this.stopping;
  }

  private async stopOnce(reason: string): Promise<void> {
    this.logger.info({ reason }, 'stopping');
    this.ending.abort();
    if (this.opened) await this.conductor.retire();
    for (const close of this.closers.reverse()) {
      await close().catch((error: Error) => this.logger.warn({ err: error }, 'closing failed'));
    }
    const clients = [this.opNode, this.execution, this.proxies.node, this.proxies.execution, this.checks];
    await Promise.all(clients.map((client) => client.close()));
    this.logger.info('stopped');
  }

  /** Undefined without an upstream; its metrics are there in any case, as op-conductor's are. */
  private createFlashblocksProxy(): FlashblocksProxy | undefined {
    const { upstreamUrl, listenHost, listenPort, compression } = this.config.flashblocks;
    const observer = new FlashblocksMetrics(this.metrics.registry, upstreamUrl);
    if (upstreamUrl === '') return undefined;
    const proxy = new FlashblocksProxy({
      upstreamUrl,
      host: listenHost,
      port: listenPort,
      compression,
      // By the lease, not by the role: a process that was frozen reads its upstream before it learns of its successor.
      isLeader: () => this.conductor.leaderOverridden() || this.raft.status().leaseRemainingMs > 0,
      observer,
      logger: this.logger.child({ part: 'flashblocks' }),
    });
    this.conductor.on('leadershipChanged', () => proxy.leadershipChanged());
    return proxy;
  }

  private async joinOrFound(consensusPort: number): Promise<void> {
    const { raft, consensus } = this.config;
    const { clusterId, incarnation } = this.raft.identity;
    if (clusterId !== null) {
      // Not founded anew: the id may as well be that of a cluster whose leader has just found this node (bug 41).
      if (this.isEmpty()) this.logger.warn({ clusterId }, EMPTY_MEMBER);
      this.logger.info({ clusterId, incarnation }, 'rejoining the cluster of the storage directory');
      return;
    }
    if (raft.bootstrap) {
      const address = consensus.advertisedAddr ?? `${consensus.listenHost}:${consensusPort}`;
      // As op-conductor: a new cluster does not touch a sequencer before an operator says so.
      this.conductor.pauseForBootstrap();
      await this.found([{ id: raft.serverId, address, incarnation, voter: true }]);
      this.logger.info(
        { address },
        'founded a cluster of one; the control loop is paused until conductor_resume',
      );
      return;
    }
    if (raft.peers.length === 0) {
      this.logger.info('no cluster yet: waiting to be added (conductor_addServerAsVoter on the leader)');
      return;
    }
    const forming = formCluster({
      self: { id: raft.serverId, incarnation },
      peers: raft.peers,
      hello: (address, signal) => this.transport.hello<FormationAnswer>(address, signal),
      isMember: () => this.raft.identity.clusterId !== null,
      bootstrap: (members) => this.found(members),
      logger: this.logger,
      signal: this.ending.signal,
      retryMs: FORMATION_RETRY_MS,
      dialTimeoutMs: DIAL_TIMEOUT_MS,
    });
    void forming.catch((error: Error) => this.onFatal(error));
  }

  private async found(members: readonly Member[]): Promise<void> {
    const outcome = await this.raft.bootstrap(members);
    if (outcome.outcome !== 'done') throw new Error(`the cluster could not be founded: ${outcome.reason}`);
  }

  /** The cluster's times are those of its log; flags that say something else have no effect, and should not mislead. */
  private warnOfOtherTiming(): void {
    if (!this.raft.status().configuration.configuration.timing) return;
    const conflict = timingConflict(this.config, this.raft.timing);
    const text = JSON.stringify(conflict);
    if (conflict && text !== this.timingWarning) {
      this.logger.warn(conflict, 'the cluster goes by other times than the flags of this node ask for');
    }
    this.timingWarning = text;
  }

  private isEmpty(): boolean {
    const { lastIndex, term } = this.raft.status();
    return lastIndex === 0 && term === 0;
  }

  private formationAnswer(): { empty: boolean; peersDigest: string | null } {
    const { peers } = this.config.raft;
    return {
      empty: this.isEmpty(),
      peersDigest: peers.length > 0 ? peersDigest(peers) : null,
    };
  }

  /** op-node must ask a conductor before it publishes; without that, two sequencers could fork the chain. */
  private async untilConductorEnabled(): Promise<boolean> {
    const { signal } = this.ending;
    let lastReason = '';
    while (!signal.aborted) {
      try {
        if (await this.opNode.conductorEnabled({ signal, timeoutMs: CALL_TIMEOUT_MS }))
          return !signal.aborted;
        this.onFatal(new Error('conductor is not enabled on sequencer, exiting...'));
        return false;
      } catch (error) {
        if (signal.aborted) return false;
        const reason = (error as Error).message;
        this.localNode.isNotReachedYet(reason);
        if (reason !== lastReason) this.logger.warn({ reason }, 'op-node does not answer yet');
        lastReason = reason;
      }
      await sleep(CONDUCTOR_CHECK_RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
    return false;
  }

  private onApplied(block: CommittedBlock, verdict: Verdict): void {
    const { number, hash } = block;
    this.metrics.applied(block, verdict);
    if (verdict.type === 'gap') {
      this.logger.warn({ number, hash, missing: verdict.missing }, 'committed head leaves a gap');
    } else if (verdict.type === 'replacement') {
      const replaced = verdict.replaced.map((old) => ({ number: old.number, hash: old.hash }));
      this.logger.warn({ number, hash, replaced }, 'committed blocks were replaced');
    } else if (verdict.type === 'refused') {
      this.logger.warn({ number, hash, reason: verdict.reason }, 'committed entry has no effect');
    }
  }
}

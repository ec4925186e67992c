import type { Logger } from 'pino';
import { listening } from '../../common/listen-error.js';
import type { FormationAnswer } from '../membership/formation.js';
import { foundsAlone, joinOrFound } from '../membership/join-or-found.js';
import { untilConductorEnabled } from '../control/until-conductor-enabled.js';
import type { CallerIdentity } from '../../rpc/server/json-rpc/caller.js';
import type { Config } from '../config/config.js';
import { nodeDirectory } from '../config/folders.js';
import { whoText } from '../history/describe-entry.js';
import { startMetricsServer } from '../metrics/metrics-server.js';
import { sleep } from '../time/sleep.js';
import { AddressWarning } from './address-warning.js';
import { assemble, type Parts } from './assemble.js';
import { NodeOverrideFile } from './node-override-file.js';
import { PauseFile } from './pause-file.js';
import { LogTail } from './log-tail.js';
import { watchStart, type Obstacle } from './start-watch.js';
import { TimingWarning } from './timing-warning.js';

/**
 * One Baton process: starts all parts in order and stops them in reverse.
 */
export class Service {
  private readonly parts: Parts;
  private readonly ending = new AbortController();
  private readonly closers: (() => Promise<void>)[] = [];
  private phase: 'opening' | 'binding' | 'bound' = 'opening';
  private opening = false;
  /** op-node has confirmed that it asks its conductor. */
  private isEnabled = false;
  /** Why there is no cluster yet. */
  private formation = 'waiting to be added';
  private opened = false;
  private stopping: Promise<void> | undefined;

  constructor(
    private readonly config: Config,
    private readonly version: string,
    private readonly logger: Logger,
    /** The process must end: storage failed, an invariant broke, or op-node is not run with a conductor. */
    private readonly onFatal: (error: Error) => void,
    /** Recent output of the logger, for `conductor_debug`. */
    logTail = new LogTail(),
  ) {
    this.parts = assemble(config, { version, logger, onFatal, logTail });
    this.parts.conductor.on('stopRequested', (by) => void this.stop('conductor_stop', by));
  }

  /** @throws StorageError, ListenError if a port cannot be bound; an AbortError if it was stopped meanwhile */
  async start(): Promise<{ rpcPort: number; consensusPort: number }> {
    const { raft, transport, security, rpc, rpcSecurity, portTls, webhook, flashblocks, metrics, bound } =
      this.parts;
    const warnings = [TimingWarning, AddressWarning].map(
      (Warning) => new Warning(this.config, raft, this.logger),
    );
    void this.watch();
    await security?.load();
    void security?.watch(this.ending.signal);
    this.opening = true;
    await raft.open().finally(() => (this.opening = false));
    this.opened = true;
    this.closers.push(() => raft.stop());
    this.ending.signal.throwIfAborted();
    for (const warning of warnings) warning.check();
    this.parts.surroundings.watch(this.ending.signal);
    await this.restorePause();
    await this.restoreNodeOverride();
    this.phase = 'binding';
    const { port: consensusPort } = await listening('consensus', ['consensus.addr', 'consensus.port'], () =>
      raft.start(transport),
    );
    this.ending.signal.throwIfAborted();
    const { signal } = this.ending;
    await rpcSecurity.open(signal);
    await portTls.rpc.open((material) => rpc.useTls(material), signal);
    await portTls.webSocket.open((material) => flashblocks?.useTls(material), signal);
    const { port: rpcPort, localPort } = await listening(
      'RPC',
      ['rpc.addr', 'rpc.port', 'rpc.local-addr'],
      () => rpc.start(),
    );
    this.ending.signal.throwIfAborted();
    bound.rpcPort = rpcPort;
    this.closers.push(() => rpc.stop(1000));
    const webSocket = await listening(
      'flashblocks',
      ['websocket.server-addr', 'websocket.server-port'],
      async () => flashblocks?.start(),
    );
    this.closers.push(async () => flashblocks?.stop(1000));
    this.closers.push(async () => webhook?.close());
    if (this.config.metrics.enabled) await this.serveMetrics();
    this.phase = 'bound';
    void this.parts.maintenance.run(this.ending.signal);
    this.watchNode();
    // Only once all ports are bound: a process that ends at its start must leave no cluster behind.
    await this.joinOrFound(consensusPort);
    metrics.up();
    const ports = { rpcPort, localRpcPort: localPort, consensusPort, webSocketPort: webSocket?.port };
    this.logger.info({ ...ports, version: this.version }, 'started');
    return { rpcPort, consensusPort };
  }

  /** Hands over, then closes everything. A second call waits for the first. @param by the caller of a stop over RPC */
  stop(reason: string, by?: CallerIdentity): Promise<void> {
    this.stopping ??= this.stopOnce(reason, by);
    return this.stopping;
  }

  /**
   * Closes network and disk without handing over.
   *
   * @returns false if they are not closed after this time
   */
  async abandon(timeoutMs: number): Promise<boolean> {
    this.ending.abort();
    if (!this.opened) return !this.opening;
    const limit = new AbortController();
    const closed = this.parts.raft.stop().then(
      () => true,
      () => true,
    );
    const late = sleep(timeoutMs, limit.signal).then(
      () => false,
      () => false,
    );
    return Promise.race([closed, late]).finally(() => limit.abort());
  }

  private async stopOnce(reason: string, by: CallerIdentity | undefined): Promise<void> {
    this.logger.info({ reason, by }, 'stopping');
    this.ending.abort();
    const { controller, clients, probes, surroundings } = this.parts;
    if (this.opened) await controller.retire(by ? `${reason}, ${whoText(by)}` : reason);
    for (const close of this.closers.reverse()) {
      await close().catch((error: Error) => this.logger.warn({ err: error }, 'closing failed'));
    }
    const { opNode, execution, proxies } = clients;
    const connections = [opNode, execution, proxies.node, proxies.execution, probes, surroundings];
    await Promise.all(connections.map((connection) => connection.close()));
    this.logger.info('stopped');
  }

  /** Pauses a new cluster before anybody can resume it. */
  private async restorePause(): Promise<void> {
    const { config, logger, onFatal } = this;
    const { raft, controller, switches } = this.parts;
    await switches.restore(new PauseFile({ directory: nodeDirectory(config.raft), logger, onFatal }));
    if (foundsAlone(config, raft)) await controller.pauseForBootstrap();
    if (!switches.pause) return;
    const { by, sinceMs, owner, reason } = switches.pause;
    logger.warn(
      { by, since: new Date(sinceMs).toISOString(), owner, reason },
      'the control loop is paused until conductor_resume',
    );
  }

  private async restoreNodeOverride(): Promise<void> {
    const { config, logger, onFatal } = this;
    const { nodeOverride } = this.parts;
    await nodeOverride.restore(
      new NodeOverrideFile({ directory: nodeDirectory(config.raft), logger, onFatal }),
    );
    if (nodeOverride.sinceMs === null) return;
    const since = new Date(nodeOverride.sinceMs).toISOString();
    logger.warn({ since }, 'op-node was told to publish without its conductor: its sequencer is not started');
  }

  private joinOrFound(consensusPort: number): Promise<void> {
    const { raft, transport, livingCluster, switches } = this.parts;
    return joinOrFound({
      config: this.config,
      raft,
      consensusPort,
      livingCluster,
      onNotFounded: () => switches.foundedNothing(),
      hello: (address, signal) => transport.hello<FormationAnswer>(address, signal),
      onFatal: this.onFatal,
      logger: this.logger,
      signal: this.ending.signal,
      sleep,
      onWaiting: (reason) => (this.formation = reason),
    });
  }

  private watch(): Promise<void> {
    const { signal } = this.ending;
    return watchStart({ obstacles: () => this.obstacles(), logger: this.logger, signal, sleep });
  }

  private obstacles(): Obstacle[] {
    const { raft, localNode } = this.parts;
    const { storageDir } = this.config.raft;
    if (this.phase === 'opening') return [{ waitsFor: 'data-directory', reason: `opening ${storageDir}` }];
    if (this.phase === 'binding') return [{ waitsFor: 'ports', reason: 'binding the ports' }];
    const missing: Obstacle[] = [];
    const { reachable, reason } = localNode.state;
    if (!reachable && !this.config.witness) {
      const isExecution = this.isEnabled && reason.startsWith('execution client');
      missing.push({ waitsFor: isExecution ? 'execution-client' : 'op-node', reason });
    }
    if (raft.identity.clusterId === null) missing.push({ waitsFor: 'cluster', reason: this.formation });
    else if (raft.status().leader === null) {
      missing.push({ waitsFor: 'leader', reason: 'no majority of the members has elected one' });
    }
    return missing;
  }

  private async serveMetrics(): Promise<void> {
    const { metrics, conductor, portTls } = this.parts;
    metrics.addProcess();
    const { listenHost: host, listenPort: port } = this.config.metrics;
    const server = await listening('metrics', ['metrics.addr', 'metrics.port'], () =>
      startMetricsServer({
        ...{ registry: metrics.registry, host, port, tls: portTls.metrics.choice },
        openTls: (use) => portTls.metrics.open(use, this.ending.signal),
        refresh: async () => {
          const verdict = await conductor.clusterVerdict();
          metrics.refresh(conductor.status(), verdict);
        },
      }),
    );
    this.closers.push(() => server.close());
  }

  private watchNode(): void {
    const { localNode, health } = this.parts;
    this.closers.push(() => localNode.stop());
    if (this.config.witness) return localNode.start();
    health.start();
    this.closers.push(() => health.stop());
    void this.pollOnceEnabled();
  }

  /** Only after this check: Baton must not start a sequencer that does not ask its conductor. */
  private async pollOnceEnabled(): Promise<void> {
    const { clients, localNode } = this.parts;
    const { logger } = this;
    const { signal } = this.ending;
    const enabled = await untilConductorEnabled({ opNode: clients.opNode, localNode, logger, signal, sleep });
    this.isEnabled = enabled === true;
    if (this.isEnabled) localNode.start();
    if (enabled === false) this.onFatal(new Error('conductor is not enabled on sequencer, exiting...'));
  }
}

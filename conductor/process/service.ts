import type { Logger } from 'pino';
import type { FormationAnswer } from '../membership/formation.js';
import { foundsAlone, joinOrFound } from '../membership/join-or-found.js';
import { untilConductorEnabled } from '../control/until-conductor-enabled.js';
import type { Config } from '../config/config.js';
import { startMetricsServer } from '../metrics/metrics-server.js';
import { sleep } from '../time/sleep.js';
import { assemble, type Parts } from './assemble.js';
import { nodeDirectory } from './consensus.js';
import { PauseFile } from './pause-file.js';
import { TimingWarning } from './timing-warning.js';

/**
 * One Baton process: starts all parts in order and stops them in reverse.
 */
export class Service {
  private readonly parts: Parts;
  private readonly ending = new AbortController();
  private readonly closers: (() => Promise<void>)[] = [];
  private opened = false;
  private stopping: Promise<void> | undefined;

  constructor(
    private readonly config: Config,
    private readonly version: string,
    private readonly logger: Logger,
    /** The process must end: storage failed, an invariant broke, or op-node is not run with a conductor. */
    private readonly onFatal: (error: Error) => void,
  ) {
    this.parts = assemble(config, { version, logger, onFatal });
    this.parts.conductor.on('stopRequested', () => void this.stop('conductor_stop'));
  }

  /** @throws StorageError, or the system's error when a port cannot be bound */
  async start(): Promise<{ rpcPort: number; consensusPort: number }> {
    const { raft, transport, rpc, flashblocks, metrics, bound } = this.parts;
    const timing = new TimingWarning(this.config, raft, this.logger);
    await raft.open();
    this.opened = true;
    this.closers.push(() => raft.stop());
    timing.check();
    await this.restorePause();
    const { port: consensusPort } = await raft.start(transport);
    const { port: rpcPort } = await rpc.start();
    bound.rpcPort = rpcPort;
    this.closers.push(() => rpc.stop(1000));
    const webSocket = await flashblocks?.start();
    this.closers.push(async () => flashblocks?.stop(1000));
    if (this.config.metrics.enabled) await this.serveMetrics();
    this.watchNode();
    // Not before all ports are there: a process that ends at its start must leave no cluster behind.
    await this.joinOrFound(consensusPort);
    metrics.up();
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
    const { controller, clients, probes } = this.parts;
    if (this.opened) await controller.retire();
    for (const close of this.closers.reverse()) {
      await close().catch((error: Error) => this.logger.warn({ err: error }, 'closing failed'));
    }
    const { opNode, execution, proxies } = clients;
    const connections = [opNode, execution, proxies.node, proxies.execution, probes];
    await Promise.all(connections.map((connection) => connection.close()));
    this.logger.info('stopped');
  }

  /** A new cluster is paused before anybody can resume it. */
  private async restorePause(): Promise<void> {
    const { config, logger, onFatal } = this;
    const { raft, controller, switches } = this.parts;
    await switches.restore(new PauseFile({ directory: nodeDirectory(config), logger, onFatal }));
    if (foundsAlone(config, raft)) await controller.pauseForBootstrap();
    if (!switches.pause) return;
    const { by, sinceMs } = switches.pause;
    logger.warn(
      { by, since: new Date(sinceMs).toISOString() },
      'the control loop is paused until conductor_resume',
    );
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
    });
  }

  private async serveMetrics(): Promise<void> {
    const { metrics, conductor } = this.parts;
    metrics.addProcess();
    const server = await startMetricsServer({
      registry: metrics.registry,
      host: this.config.metrics.listenHost,
      port: this.config.metrics.listenPort,
      refresh: () => metrics.refresh(conductor.status()),
    });
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

  /** Not before: a sequencer that does not ask its conductor must not be started by it. */
  private async pollOnceEnabled(): Promise<void> {
    const { clients, localNode } = this.parts;
    const { logger } = this;
    const { signal } = this.ending;
    const enabled = await untilConductorEnabled({ opNode: clients.opNode, localNode, logger, signal, sleep });
    if (enabled === true) localNode.start();
    if (enabled === false) this.onFatal(new Error('conductor is not enabled on sequencer, exiting...'));
  }
}

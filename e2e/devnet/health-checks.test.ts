import { afterEach, describe, expect, it } from '@jest/globals';
import { parseConfig } from '../../conductor/config/parse-config.js';
import { probesFrom, type HealthProbes } from '../../conductor/control/health-probes.js';
import { HealthMonitor } from '../../health/health-monitor.js';
import type { HealthReport } from '../../health/health-report.js';
import { OpNodeClient } from '../../rpc/clients/op-node-client.js';
import { TestNetwork, until, type TestNode } from './test-network.js';

/** From the flags to the report, against a simulated node: every check is really wired. */
describe('health checks, as configured', () => {
  const network = new TestNetwork();
  let checks: HealthProbes;
  let opNode: OpNodeClient;
  let monitor: HealthMonitor;
  let node: TestNode;
  let report: HealthReport | undefined;

  async function start(...flags: string[]): Promise<void> {
    const peer = await network.startNode({ name: 'peer', genesisTime: Math.floor(Date.now() / 1000) });
    node = await network.startNode({ peers: [peer.p2pUrl] });
    await until(() => node.node.state().connectedPeers === 1, 'a connected peer');
    const parsed = parseConfig(
      [
        ...[
          '--consensus.addr=127.0.0.1',
          '--consensus.port=0',
          '--raft.server.id=a',
          '--raft.storage.dir=/x',
        ],
        ...[`--node.rpc=${node.nodeRpc}`, `--execution.rpc=${node.executionRpc}`, '--healthcheck.interval=1'],
        ...['--healthcheck.unsafe-interval=3600', '--healthcheck.min-peer-count=1', ...flags],
      ].map((flag) => flag.replace('{execution}', node.executionRpc)),
      {},
    );
    if (!('config' in parsed)) throw new Error('no configuration');
    opNode = new OpNodeClient({ url: node.nodeRpc });
    checks = probesFrom(parsed.config, opNode, Date.now);
    monitor = new HealthMonitor({
      ...checks,
      intervalMs: 10,
      now: Date.now,
      onReport: (latest) => (report = latest),
    });
    monitor.start();
    await becomes('healthy');
  }

  /** Waits for a report with this status and exactly these codes. */
  const becomes = (status: HealthReport['status'], ...codes: string[]): Promise<void> =>
    until(
      () => report?.status === status && report.reasons.map(({ code }) => code).join() === codes.join(),
      `${status} ${codes.join()}`,
    );

  afterEach(async () => {
    report = undefined;
    await monitor.stop();
    await Promise.all([checks.close(), opNode.close()]);
    await network.stop();
  });

  it('safe head', async () => {
    await start('--healthcheck.safe-enabled', '--healthcheck.safe-interval=3600');
    await monitor.stop();
    monitor = new HealthMonitor({
      ...checks,
      intervalMs: 10,
      now: () => Date.now() + 3_700_000,
      onReport: (latest) => (report = latest),
    });
    monitor.start();
    await becomes('unhealthy', 'unsafe-head-old', 'safe-head-old');
  });

  it.each(['net', 'admin'])('peers of the execution client by %s', async (api) => {
    await start(
      '--healthcheck.execution-p2p-enabled',
      '--healthcheck.execution-p2p-min-peer-count=1',
      `--healthcheck.execution-p2p-check-api=${api}`,
      '--healthcheck.timeout=150ms',
    );
    await node.control('execution-peers', { count: 0 });
    await becomes('unhealthy', 'too-few-execution-peers');
    await node.control('execution-peers', { count: null });
    await becomes('healthy');
    await node.control('hang', { target: 'execution' });
    await becomes('unhealthy', 'execution-unreachable');
    await node.control('resume', {});
    await becomes('healthy');
    const method = api === 'net' ? 'net_peerCount' : 'admin_peers';
    await node.control('fail', { method, error: 'not for you' });
    await becomes('unhealthy', 'execution-unreachable');
  });

  it.each([
    ['status code', ['--rollup-boost.enabled']],
    ['JSON', ['--rollup-boost.next-enabled', '--rollup-boost.next-healthcheck-url={execution}/rollup-boost']],
  ])('rollup-boost by %s', async (_name, flags) => {
    await start(...flags, '--rollup-boost.healthcheck-timeout=150ms');
    await node.control('rollup-boost', { health: 'partial' });
    await becomes('unhealthy', 'rollup-boost-partial');
    await node.control('rollup-boost', { health: 'unhealthy' });
    await becomes('unhealthy', 'rollup-boost-unhealthy');
    await node.control('rollup-boost', { health: 'hung' });
    await becomes('unhealthy', 'rollup-boost-unreachable');
    await node.control('rollup-boost', { health: 'healthy' });
    await becomes('healthy');
  });

  it('rollup-boost within its tolerance, and beyond', async () => {
    await start(
      '--rollup-boost.enabled',
      '--healthcheck.rollup-boost-partial-healthiness-tolerance-limit=3',
      '--healthcheck.rollup-boost-partial-healthiness-tolerance-interval-seconds=86400',
    );
    await node.control('rollup-boost', { health: 'partial' });
    await becomes('degraded', 'rollup-boost-partial');
    await becomes('unhealthy', 'rollup-boost-partial');
    expect(report?.healthy).toBe(false);
  });
});

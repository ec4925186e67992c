import path from 'node:path';
import { call } from './json-rpc.js';
import type { SequencerNode } from './node.js';
import { waitFor } from '../cluster/wait-for.js';

/** Age of the unsafe head (s) from which a node counts as unhealthy. */
export const UNSAFE_INTERVAL_S = 5;

const METRICS_TIMEOUT_MS = 5_000;

export interface ServerInfo {
  id: string;
  addr: string;
  suffrage: number;
}

export interface ClusterMembership {
  servers: ServerInfo[] | null;
  version: number;
}

export function storageFolder(node: SequencerNode): string {
  return path.join(node.folder, 'raft');
}

/** `program` with the flags of op-conductor, and no others. */
export function conductorCommand(
  program: readonly string[],
  node: SequencerNode,
  rollupConfigFile: string,
  { paused }: { paused: boolean },
): string[] {
  const { host } = node.machine;
  return [
    ...program,
    ...['--consensus.addr', host, '--consensus.port', `${node.consensusPort}`],
    ...['--consensus.advertised', node.consensusAddress],
    ...['--raft.server.id', node.name, '--raft.storage.dir', storageFolder(node)],
    ...[
      '--node.rpc',
      node.nodeUrl,
      '--execution.rpc',
      node.executionUrl,
      '--rollup.config',
      rollupConfigFile,
    ],
    ...['--healthcheck.interval', '1', '--healthcheck.unsafe-interval', `${UNSAFE_INTERVAL_S}`],
    ...['--healthcheck.min-peer-count', '1'],
    ...['--rpc.addr', host, '--rpc.port', `${node.conductorPort}`],
    ...['--metrics.enabled', '--metrics.addr', host, '--metrics.port', `${node.metricsPort}`],
    ...['--log.level', 'debug', '--log.format', 'json'],
    // Operators leave this flag set forever, so it must have no effect once the directory has state.
    ...(node.index === 0 ? ['--raft.bootstrap'] : []),
    ...(paused ? ['--paused'] : []),
  ];
}

/** Makes one cluster of paused conductors, the first of which has bootstrapped itself. */
export async function formCluster(first: SequencerNode, others: readonly SequencerNode[]): Promise<void> {
  await waitFor(
    `${first.name} to lead itself`,
    () => call<boolean>(first.conductorUrl, 'conductor_leader'),
    60_000,
  );
  for (const node of others) {
    const { version } = await membership(first);
    await call(
      first.conductorUrl,
      'conductor_addServerAsVoter',
      [node.name, node.consensusAddress, version],
      15_000,
    );
  }
  await waitFor(
    'every conductor to know all members',
    async () => {
      const views = await Promise.all([first, ...others].map(membership));
      return views.every((view) => view.servers?.length === others.length + 1);
    },
    60_000,
  );
}

/** Current sum of a metric over all series of the node's conductor whose labels contain `label`. */
export async function metric(node: SequencerNode, name: string, label: string): Promise<number> {
  const url = `http://${node.machine.host}:${node.metricsPort}/metrics`;
  const text = await (await fetch(url, { signal: AbortSignal.timeout(METRICS_TIMEOUT_MS) })).text();
  const series = text.split('\n').filter((line) => line.startsWith(`${name}{`) && line.includes(label));
  return series.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

export function membership(node: SequencerNode): Promise<ClusterMembership> {
  return call<ClusterMembership>(node.conductorUrl, 'conductor_clusterMembership');
}

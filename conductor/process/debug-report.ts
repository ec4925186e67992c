import type { CallOptions } from '../../rpc/clients/json-rpc-client.js';
import type { ConductorStatus } from '../../rpc/server/conductor-status.js';
import type { ClusterVerdict } from '../../rpc/server/cluster-verdict.js';
import type { DebugReport } from '../../rpc/server/debug-report.js';
import type { Config } from '../config/config.js';
import { shownConfig, withoutUrlSecrets } from '../config/shown-config.js';
import type { Metrics } from '../metrics/metrics.js';
import type { LogTail } from './log-tail.js';

/** A program that does not report its version within this time is reported as silent. */
const VERSION_TIMEOUT_MS = 2000;

interface Versioned {
  version(options: CallOptions): Promise<string>;
}

interface DebugSources {
  config: Config;
  version: string;
  metrics: Pick<Metrics, 'refresh' | 'registry'>;
  logTail: LogTail;
  clients: { opNode: Versioned; execution: Versioned };
  conductor: { status(): ConductorStatus; clusterVerdict(): Promise<ClusterVerdict> };
}

/** The answer of `conductor_debug`. Works without op-node, execution client and quorum, too. */
export async function debugReport(sources: DebugSources): Promise<DebugReport> {
  const { config, version, metrics, logTail, clients, conductor } = sources;
  const [opNode, execution, verdict] = await Promise.all([
    versionOf(clients.opNode),
    versionOf(clients.execution),
    conductor.clusterVerdict(),
  ]);
  metrics.refresh(conductor.status(), verdict);
  return {
    id: config.raft.serverId,
    versions: {
      baton: version,
      node: process.version,
      platform: `${process.platform}-${process.arch}`,
      opNode,
      execution,
    },
    config: shownConfig(config),
    // One label is the URL of the flashblocks upstream, and errors of libraries quote their input.
    metrics: withoutUrlSecrets(await metrics.registry.metrics()),
    log: { lines: logTail.lines.map(withoutUrlSecrets), dropped: logTail.dropped },
  };
}

async function versionOf(program: Versioned): Promise<DebugReport['versions']['opNode']> {
  try {
    return { version: await program.version({ timeoutMs: VERSION_TIMEOUT_MS }), error: '' };
  } catch (error) {
    return { version: null, error: (error as Error).message };
  }
}

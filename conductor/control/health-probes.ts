import type { HealthLimits } from '../../health/health-report.js';
import { PartialTolerance } from '../../health/probes/partial-tolerance.js';
import type { Probes } from '../../health/probes/observation.js';
import { RollupBoostProbe, type RollupBoostVariant } from '../../health/probes/rollup-boost.js';
import { ExecutionClient } from '../../rpc/clients/execution-client.js';
import type { OpNodeClient } from '../../rpc/clients/op-node-client.js';
import type { Config } from '../config/config.js';

export interface HealthProbes {
  probes: Probes;
  limits: HealthLimits;
  /** Ends the connections that only these probes use. */
  close(): Promise<void>;
}

/** The health checks that the configuration asks for. */
export function probesFrom(config: Config, opNode: OpNodeClient, now: () => number): HealthProbes {
  const { health } = config;
  const { probeTimeoutMs: timeoutMs, executionP2p, safe } = health;
  const rollupBoost = rollupBoostOf(config, now);
  // Its own client, because the URL may differ.
  const peers = executionP2p.enabled ? new ExecutionClient({ url: executionP2p.rpcUrl }) : undefined;
  const countPeers = executionP2p.checkApi === 'admin' ? 'adminPeerCount' : 'peerCount';
  return {
    probes: {
      syncStatus: { call: (options) => opNode.syncStatus(options), timeoutMs },
      peerStats: { call: (options) => opNode.peerStats(options), timeoutMs },
      executionPeers: peers && { call: (options) => peers[countPeers](options), timeoutMs },
      rollupBoost: rollupBoost && {
        call: (options) => rollupBoost.call(options),
        timeoutMs: config.rollupBoost.healthcheckTimeoutMs,
      },
    },
    limits: {
      unsafeIntervalSeconds: health.unsafeIntervalSeconds,
      safeIntervalSeconds: safe.enabled ? safe.intervalSeconds : undefined,
      minPeerCount: health.minPeerCount,
      minExecutionPeerCount: executionP2p.minPeerCount,
    },
    close: async () => void (await Promise.all([peers?.close(), rollupBoost?.close()])),
  };
}

function rollupBoostOf({ rollupBoost, execution }: Config, now: () => number): RollupBoostProbe | undefined {
  const { enabled, nextEnabled, nextHealthcheckUrl } = rollupBoost;
  if (!enabled && !nextEnabled) return undefined;
  const variant: RollupBoostVariant = nextEnabled
    ? { by: 'json', url: nextHealthcheckUrl }
    : { by: 'status', executionUrl: execution.rpcUrl };
  const { partialToleranceLimit, partialToleranceIntervalSeconds } = rollupBoost;
  const tolerance = new PartialTolerance(partialToleranceLimit, partialToleranceIntervalSeconds);
  return new RollupBoostProbe(variant, tolerance, now);
}

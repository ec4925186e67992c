import type { HealthLimits, HealthReason } from './health-report.js';
import type { Observation } from './probes/observation.js';

/**
 * One rule over an observation: null if it holds, or if its input is missing (then the check of that probe reports it, or
 * nobody asked). Pure.
 */
type HealthCheck = (observation: Observation, limits: HealthLimits) => HealthReason | null;

/** Age of a block in whole seconds by this machine's clock. A block from the future (clock skew) has age 0. */
export function ageSeconds(timestamp: number, askedAtMs: number): number {
  return Math.max(0, Math.floor(askedAtMs / 1000) - timestamp);
}

/** op-node answers `optimism_syncStatus` in time. */
const syncStatusCheck: HealthCheck = ({ syncStatus }) => {
  if (!syncStatus || syncStatus.ok) return null;
  const { error: message, failures } = syncStatus;
  return { check: 'sync-status', code: 'node-unreachable', severity: 'unhealthy', message, failures };
};

/** The unsafe head is not older than allowed. */
const unsafeHeadCheck: HealthCheck = ({ syncStatus }, { unsafeIntervalSeconds: limit }) => {
  if (!syncStatus?.ok) return null;
  const { number, timestamp } = syncStatus.value.unsafeL2;
  const value = ageSeconds(timestamp, syncStatus.askedAtMs);
  if (value <= limit) return null;
  const message = `unsafe head ${number} is ${value} s old, ${limit} s allowed`;
  return { check: 'unsafe-head', code: 'unsafe-head-old', severity: 'unhealthy', message, value, limit };
};

/**
 * The safe head is not older than allowed. Checked only if configured, since it depends on the batcher (op-conductor
 * #10167).
 */
const safeHeadCheck: HealthCheck = ({ syncStatus }, { safeIntervalSeconds: limit }) => {
  if (!syncStatus?.ok || limit === undefined) return null;
  const { number, timestamp } = syncStatus.value.safeL2;
  const value = ageSeconds(timestamp, syncStatus.askedAtMs);
  if (value <= limit) return null;
  const message = `safe head ${number} is ${value} s old, ${limit} s allowed`;
  return { check: 'safe-head', code: 'safe-head-old', severity: 'unhealthy', message, value, limit };
};

/** op-node answers `opp2p_peerStats` in time and has enough connected peers. */
const peersCheck: HealthCheck = ({ peerStats }, { minPeerCount: limit }) => {
  if (!peerStats) return null;
  if (!peerStats.ok) {
    const { error: message, failures } = peerStats;
    return { check: 'peers', code: 'node-unreachable', severity: 'unhealthy', message, failures };
  }
  const { connected: value } = peerStats.value;
  if (value >= limit) return null;
  const message = `${value} peers connected, ${limit} required`;
  return { check: 'peers', code: 'too-few-peers', severity: 'unhealthy', message, value, limit };
};

/** The execution client reports its peers in time and has enough of them. */
const executionPeersCheck: HealthCheck = ({ executionPeers }, { minExecutionPeerCount: limit = 0 }) => {
  if (!executionPeers) return null;
  const check = 'execution-peers';
  const severity = 'unhealthy';
  if (!executionPeers.ok) {
    const { error: message, failures } = executionPeers;
    return { check, code: 'execution-unreachable', severity, message, failures };
  }
  const { value } = executionPeers;
  if (value >= limit) return null;
  const message = `execution client: ${value} peers connected, ${limit} required`;
  return { check, code: 'too-few-execution-peers', severity, message, value, limit };
};

/** rollup-boost answers in time that it is healthy, or partially healthy within the tolerance. */
const rollupBoostCheck: HealthCheck = ({ rollupBoost }) => {
  if (!rollupBoost) return null;
  const check = 'rollup-boost';
  if (!rollupBoost.ok) {
    const message = `rollup-boost: ${rollupBoost.error}`;
    const { failures } = rollupBoost;
    return { check, code: 'rollup-boost-unreachable', severity: 'unhealthy', message, failures };
  }
  const { health, tolerated } = rollupBoost.value;
  switch (health) {
    case 'healthy':
      return null;
    case 'partial':
      return {
        check,
        code: 'rollup-boost-partial',
        severity: tolerated ? 'degraded' : 'unhealthy',
        message: `rollup-boost: the builder is not healthy, the execution client is${tolerated ? ' (tolerated)' : ''}`,
      };
    case 'unhealthy':
      return {
        check,
        code: 'rollup-boost-unhealthy',
        severity: 'unhealthy',
        message: 'rollup-boost is not healthy',
      };
  }
};

/**
 * In op-conductor's order (docs/reference/op-conductor.md §4), which decides the summary and the metric when several fail.
 */
export const checks: readonly HealthCheck[] = [
  syncStatusCheck,
  unsafeHeadCheck,
  safeHeadCheck,
  peersCheck,
  executionPeersCheck,
  rollupBoostCheck,
];

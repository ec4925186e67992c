import type { HealthCheck } from './checks/health-check.js';
import { nodeReachable } from './checks/node-reachable.js';
import { peerCount } from './checks/peer-count.js';
import { ageSeconds, unsafeHeadAge } from './checks/unsafe-head-age.js';
import type { HealthLimits, HealthVerdict } from './health-report.js';
import type { Observation } from './observation.js';

/** In op-conductor's order (op-conductor.md §4), which decides the reported reason when several fail. */
const checks: readonly HealthCheck[] = [nodeReachable, unsafeHeadAge, peerCount];

/**
 * Applies all checks to an observation; the first failure is the verdict. Pure.
 *
 * @param nowSeconds wall clock in whole seconds, as block timestamps are
 */
export function evaluate(observation: Observation, limits: HealthLimits, nowSeconds: number): HealthVerdict {
  const { syncStatus, peerStats } = observation;
  const facts: Pick<HealthVerdict, 'unsafeHead' | 'peers'> = {};
  if (syncStatus.ok) facts.unsafeHead = syncStatus.value.unsafeL2;
  if (peerStats.ok) facts.peers = peerStats.value.connected;

  for (const check of checks) {
    const failure = check(observation, limits, nowSeconds);
    if (failure) return { healthy: false, status: 'unhealthy', ...failure, ...facts };
  }
  const { number, timestamp } = facts.unsafeHead!;
  const reason = `unsafe head ${number} is ${ageSeconds(timestamp, nowSeconds)} s old, ${facts.peers} peers connected`;
  return { healthy: true, status: 'healthy', code: 'ok', reason, ...facts };
}

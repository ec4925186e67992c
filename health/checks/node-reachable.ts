import type { HealthCheck } from './health-check.js';

/** op-node answers `optimism_syncStatus` in time. */
export const nodeReachable: HealthCheck = ({ syncStatus }) =>
  syncStatus.ok ? null : { code: 'node-unreachable', reason: syncStatus.error };

import type { HealthCheck } from './health-check.js';

/** op-node answers `optimism_syncStatus` in time. */
export const syncStatusCheck: HealthCheck = ({ syncStatus }) => {
  if (!syncStatus || syncStatus.ok) return null;
  const { error: message, failures } = syncStatus;
  return { check: 'sync-status', code: 'node-unreachable', severity: 'unhealthy', message, failures };
};

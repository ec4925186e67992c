import { ageSeconds, type HealthCheck } from './health-check.js';

/** The safe head is not older than allowed; only if asked for, since it depends on the batcher (op-conductor #10167). */
export const safeHeadCheck: HealthCheck = ({ syncStatus }, { safeIntervalSeconds: limit }) => {
  if (!syncStatus?.ok || limit === undefined) return null;
  const { number, timestamp } = syncStatus.value.safeL2;
  const value = ageSeconds(timestamp, syncStatus.askedAtMs);
  if (value <= limit) return null;
  const message = `safe head ${number} is ${value} s old, ${limit} s allowed`;
  return { check: 'safe-head', code: 'safe-head-old', severity: 'unhealthy', message, value, limit };
};

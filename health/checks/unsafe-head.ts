import { ageSeconds, type HealthCheck } from './health-check.js';

/** The unsafe head is not older than allowed. */
export const unsafeHeadCheck: HealthCheck = ({ syncStatus }, { unsafeIntervalSeconds: limit }) => {
  if (!syncStatus?.ok) return null;
  const { number, timestamp } = syncStatus.value.unsafeL2;
  const value = ageSeconds(timestamp, syncStatus.askedAtMs);
  if (value <= limit) return null;
  const message = `unsafe head ${number} is ${value} s old, ${limit} s allowed`;
  return { check: 'unsafe-head', code: 'unsafe-head-old', severity: 'unhealthy', message, value, limit };
};

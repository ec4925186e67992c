import type { HealthCheck } from './health-check.js';

/** Age of a block by this machine's clock; a block of the future (clock skew) has age 0. */
export function ageSeconds(timestamp: number, nowSeconds: number): number {
  return Math.max(0, nowSeconds - timestamp);
}

/** The unsafe head is not older than allowed. */
export const unsafeHeadAge: HealthCheck = ({ syncStatus }, { unsafeIntervalSeconds }, nowSeconds) => {
  if (!syncStatus.ok) return null;
  const { number, timestamp } = syncStatus.value.unsafeL2;
  const age = ageSeconds(timestamp, nowSeconds);
  if (age <= unsafeIntervalSeconds) return null;
  return {
    code: 'unsafe-head-old',
    reason: `unsafe head ${number} is ${age} s old, ${unsafeIntervalSeconds} s allowed`,
  };
};

import type { HealthLimits, HealthReason } from '../health-report.js';
import type { Observation } from '../probes/observation.js';

/**
 * One rule over an observation: null if it holds, or if what it needs is missing (the check of that probe says so,
 * or nobody asked). Pure.
 */
export type HealthCheck = (observation: Observation, limits: HealthLimits) => HealthReason | null;

/** Age of a block in whole seconds by this machine's clock; a block of the future (clock skew) has age 0. */
export function ageSeconds(timestamp: number, askedAtMs: number): number {
  return Math.max(0, Math.floor(askedAtMs / 1000) - timestamp);
}

import type { HealthCode, HealthLimits } from '../health-report.js';
import type { Observation } from '../observation.js';

export interface CheckFailure {
  code: Exclude<HealthCode, 'ok'>;
  reason: string;
}

/**
 * One rule over an observation: null if it holds, or if what it needs is missing (the check of that probe has
 * failed before). Pure; `nowSeconds` is the wall clock in whole seconds.
 */
export type HealthCheck = (
  observation: Observation,
  limits: HealthLimits,
  nowSeconds: number,
) => CheckFailure | null;

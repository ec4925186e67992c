import type { HealthCheck } from './health-check.js';

/** rollup-boost answers in time and says that it is well, or partly well within the tolerance. */
export const rollupBoostCheck: HealthCheck = ({ rollupBoost }) => {
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

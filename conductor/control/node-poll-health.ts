import type { HealthReport } from '../../health/health-report.js';
import type { LocalNode } from './local-node.js';

/**
 * Everything that is known of the local node's health: the last check, and what was seen since, as the conductor asks
 * the node more often than health is checked. Null before the first check.
 */
export function withNodePoll(
  report: HealthReport | null,
  { state }: Pick<LocalNode, 'state'>,
): HealthReport | null {
  if (report === null || state.reachable || !state.asked) return report;
  const message = state.reason;
  const gone = { check: 'node-poll', code: 'node-unreachable', severity: 'unhealthy', message } as const;
  return {
    ...report,
    healthy: false,
    status: 'unhealthy',
    reasons: [gone, ...report.reasons],
    summary: message,
  };
}

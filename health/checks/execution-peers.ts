import type { HealthCheck } from './health-check.js';

/** The execution client tells its peers in time and has enough of them. */
export const executionPeersCheck: HealthCheck = (
  { executionPeers },
  { minExecutionPeerCount: limit = 0 },
) => {
  if (!executionPeers) return null;
  const check = 'execution-peers';
  const severity = 'unhealthy';
  if (!executionPeers.ok) {
    const { error: message, failures } = executionPeers;
    return { check, code: 'execution-unreachable', severity, message, failures };
  }
  const { value } = executionPeers;
  if (value >= limit) return null;
  const message = `execution client: ${value} peers connected, ${limit} required`;
  return { check, code: 'too-few-execution-peers', severity, message, value, limit };
};

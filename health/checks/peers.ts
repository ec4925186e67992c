import type { HealthCheck } from './health-check.js';

/** op-node answers `opp2p_peerStats` in time and has enough connected peers. */
export const peersCheck: HealthCheck = ({ peerStats }, { minPeerCount: limit }) => {
  if (!peerStats) return null;
  if (!peerStats.ok) {
    const { error: message, failures } = peerStats;
    return { check: 'peers', code: 'node-unreachable', severity: 'unhealthy', message, failures };
  }
  const { connected: value } = peerStats.value;
  if (value >= limit) return null;
  const message = `${value} peers connected, ${limit} required`;
  return { check: 'peers', code: 'too-few-peers', severity: 'unhealthy', message, value, limit };
};

import type { HealthCheck } from './health-check.js';

/** op-node answers `opp2p_peerStats` in time and has enough connected peers. */
export const peerCount: HealthCheck = ({ peerStats }, { minPeerCount }) => {
  if (!peerStats.ok) return { code: 'node-unreachable', reason: peerStats.error };
  const { connected } = peerStats.value;
  if (connected >= minPeerCount) return null;
  return { code: 'too-few-peers', reason: `${connected} peers connected, ${minPeerCount} required` };
};

import type { FlagValues } from './flag-table.js';

const DEFAULT_HEARTBEAT_TIMEOUT_MS = 500;

export interface RaftTimes {
  heartbeatTimeoutMs: number;
  leaseTimeoutMs: number;
  heartbeatIntervalMs: number;
}

/**
 * Raft's times, where the default of one depends on another. A command line with op-conductor's lease timeout alone
 * stays valid, although Baton's default heartbeat timeout is shorter than op-conductor's.
 */
export function raftTimes(values: FlagValues): RaftTimes {
  const lease = values['raft.lease-timeout'];
  const heartbeatTimeoutMs =
    values['raft.heartbeat-timeout'] ?? Math.max(DEFAULT_HEARTBEAT_TIMEOUT_MS, lease ?? 0);
  const leaseTimeoutMs = lease ?? heartbeatTimeoutMs;
  const sixth = Math.floor(Math.min(heartbeatTimeoutMs / 6, leaseTimeoutMs / 2));
  const heartbeatIntervalMs = values['raft.heartbeat-interval'] ?? Math.max(1, sixth);
  return { heartbeatTimeoutMs, leaseTimeoutMs, heartbeatIntervalMs };
}

import { TIMING_PROFILES, type ClusterTiming } from '../../raft/values.js';
import type { FlagName, FlagValues } from './flag-table.js';

/** Flags that set the timing of a cluster that this node founds. */
export const TIMING_FLAGS = [
  'raft.timing-profile',
  'raft.heartbeat-timeout',
  'raft.lease-timeout',
  'raft.heartbeat-interval',
] as const satisfies readonly FlagName[];

/**
 * Raft's timing: a profile, or free values by op-conductor's flags, where the default of one depends on another.
 * A command line with only op-conductor's lease timeout stays valid, although Baton's election timeout is shorter.
 */
export function raftTimes(values: FlagValues): ClusterTiming {
  const profile = TIMING_PROFILES[values['raft.timing-profile']];
  const lease = values['raft.lease-timeout'];
  const heartbeat = values['raft.heartbeat-timeout'];
  const interval = values['raft.heartbeat-interval'];
  if (lease === null && heartbeat === null) {
    return interval === null ? profile : { ...profile, heartbeatIntervalMs: interval };
  }
  const electionTimeoutMs = heartbeat ?? Math.max(profile.electionTimeoutMs, lease ?? 0);
  const leaseTimeoutMs = lease ?? electionTimeoutMs;
  const sixth = Math.floor(Math.min(electionTimeoutMs / 6, leaseTimeoutMs / 2));
  return {
    heartbeatIntervalMs: interval ?? Math.max(1, sixth),
    electionTimeoutMs,
    rankSlotMs: Math.max(1, electionTimeoutMs / 15),
    jitterMs: Math.max(1, electionTimeoutMs / 30),
    leaseTimeoutMs,
  };
}

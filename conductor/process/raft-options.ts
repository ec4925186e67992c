import { MIB } from '../../common/bytes.js';
import {
  clusterTimingOf,
  isSameTiming,
  type ClusterTiming,
  type Limits,
  type Retention,
  type Timing,
} from '../../raft/index.js';
import type { Config } from '../config/config.js';
import type { LaneTimeouts } from '../../raft/index.js';
import { TIMING_FLAGS } from '../config/raft-times.js';

const SNAPSHOT_TIMEOUT_MS = 10_000;

/** The timing of a cluster that this node founds, and settings of this node alone. */
export function timingOf({ raft }: Config): Timing {
  return {
    ...raft.timing,
    // Longer than any deadline of the transport: a last resort.
    requestTimeoutMs: 60_000,
    transferTimeoutMs: Math.max(1000, raft.timing.electionTimeoutMs),
  };
}

/** Deadlines of requests between nodes of a cluster with this timing. */
export function laneTimeouts({ electionTimeoutMs }: ClusterTiming): LaneTimeouts {
  return {
    controlMs: electionTimeoutMs,
    bulkMs: Math.max(1000, electionTimeoutMs),
    snapshotMs: SNAPSHOT_TIMEOUT_MS,
  };
}

/** Timing flags that were given and differ from the timing of the cluster; undefined if none does. */
export function timingConflict(
  { raft, explicit }: Config,
  inForce: ClusterTiming,
): { given: object; asked: ClusterTiming; inForce: ClusterTiming } | undefined {
  const given = Object.fromEntries(
    TIMING_FLAGS.filter((flag) => explicit[flag] !== undefined).map((flag) => [flag, explicit[flag]]),
  );
  if (Object.keys(given).length === 0 || isSameTiming(raft.timing, inForce)) return undefined;
  return { given, asked: raft.timing, inForce: clusterTimingOf(inForce) };
}

/** @param payloadBytesMax the largest payload that the RPC port accepts */
export function limitsOf(payloadBytesMax: number): Limits {
  return {
    uncommittedBytesMax: 2 * payloadBytesMax,
    uncommittedEntriesMax: 64,
    inflightRequestsMax: 2,
    inflightBytesMax: 4 * MIB,
    appendBytesMax: 1 * MIB,
    // Kept small: objects that live longer than a moment become old to the garbage collector, and are freed late.
    cacheBytesMax: 1 * MIB,
  };
}

export function retentionOf({ raft }: Config): Retention {
  return {
    bytesMax: raft.retentionBytes,
    entriesMax: raft.snapshotThresholdEntries + raft.trailingEntries,
  };
}

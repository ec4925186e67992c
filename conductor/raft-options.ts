import type { Limits, Retention, Timing } from '../raft/index.js';
import type { Config } from './config/config.js';

const MIB = 1024 * 1024;

/** Raft's clockwork, from the two times that op-conductor's flags name (raft.md §5.10). */
export function timingOf({ raft }: Config): Timing {
  const electionTimeoutMs = raft.heartbeatTimeoutMs;
  return {
    heartbeatIntervalMs: raft.heartbeatIntervalMs,
    electionTimeoutMs,
    rankSlotMs: electionTimeoutMs / 15,
    jitterMs: electionTimeoutMs / 30,
    leaseTimeoutMs: raft.leaseTimeoutMs,
    // Longer than any deadline of the transport: a last resort.
    requestTimeoutMs: 60_000,
    transferTimeoutMs: Math.max(1000, electionTimeoutMs),
  };
}

/** @param payloadBytesMax the largest payload that the RPC port lets in */
export function limitsOf(payloadBytesMax: number): Limits {
  return {
    uncommittedBytesMax: 2 * payloadBytesMax,
    uncommittedEntriesMax: 64,
    inflightRequestsMax: 2,
    inflightBytesMax: 4 * MIB,
    appendBytesMax: 1 * MIB,
    // Little: what stays longer than a moment becomes old to the garbage collector, and is freed late.
    cacheBytesMax: 1 * MIB,
  };
}

export function retentionOf({ raft }: Config): Retention {
  return {
    bytesMax: raft.retentionBytes,
    entriesMax: raft.snapshotThresholdEntries + raft.trailingEntries,
  };
}

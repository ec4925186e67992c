import type { Limits } from '../core/options.js';
import type { Timing } from '../core/timing.js';

/** The timing of a LAN in virtual time, where nothing is late. */
export const LAN_TIMING: Timing = {
  heartbeatIntervalMs: 50,
  electionTimeoutMs: 300,
  rankSlotMs: 20,
  jitterMs: 10,
  leaseTimeoutMs: 300,
  requestTimeoutMs: 500,
  transferTimeoutMs: 400,
};

export const SMALL_LIMITS: Limits = {
  uncommittedBytesMax: 1 << 20,
  uncommittedEntriesMax: 100,
  inflightRequestsMax: 2,
  inflightBytesMax: 1 << 20,
  appendBytesMax: 1 << 20,
  cacheBytesMax: 1 << 20,
};

/** Slow enough for a busy machine, fast enough for a test in real time. */
export const PATIENT_TIMING: Timing = {
  heartbeatIntervalMs: 50,
  electionTimeoutMs: 500,
  rankSlotMs: 30,
  jitterMs: 20,
  leaseTimeoutMs: 450,
  requestTimeoutMs: 60_000,
  transferTimeoutMs: 1000,
};

/** Room for commands of 2 MB. */
export const LARGE_LIMITS: Limits = {
  uncommittedBytesMax: 8_000_000,
  uncommittedEntriesMax: 64,
  inflightRequestsMax: 2,
  inflightBytesMax: 4_000_000,
  appendBytesMax: 1_000_000,
  cacheBytesMax: 1_000_000,
};

export const RETENTION = { bytesMax: 64_000_000, entriesMax: 10_000 };

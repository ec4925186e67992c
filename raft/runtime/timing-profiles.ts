import { isSameTiming, type ClusterTiming } from '../core/timing.js';

/**
 * Timings for the usual distances. The lease ends slightly more than 1 % before the loyalty that it rests on, so that
 * clocks may differ.
 */
export const TIMING_PROFILES = {
  /** One rack or zone, and processes that never stall for long. */
  'lan-fast': {
    heartbeatIntervalMs: 30,
    electionTimeoutMs: 150,
    rankSlotMs: 12,
    jitterMs: 6,
    leaseTimeoutMs: 143,
  },
  /** One region. */
  lan: { heartbeatIntervalMs: 50, electionTimeoutMs: 300, rankSlotMs: 15, jitterMs: 10, leaseTimeoutMs: 290 },
  /** Regions with a round trip of up to about 25 ms. */
  'multi-region': {
    heartbeatIntervalMs: 90,
    electionTimeoutMs: 400,
    rankSlotMs: 60,
    jitterMs: 20,
    leaseTimeoutMs: 390,
  },
} as const satisfies Record<string, ClusterTiming>;

export type TimingProfile = keyof typeof TIMING_PROFILES;

/** The name of these values; undefined if they are not a profile. */
export function profileOf(timing: ClusterTiming): TimingProfile | undefined {
  const names = Object.keys(TIMING_PROFILES) as TimingProfile[];
  return names.find((name) => isSameTiming(TIMING_PROFILES[name], timing));
}

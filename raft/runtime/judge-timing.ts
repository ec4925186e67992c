import type { ClusterTiming } from '../core/timing.js';

/** 99th percentiles in ms; undefined until there are enough measurements. */
export interface MeasuredTimes {
  /** From a heartbeat to its answer. */
  roundTripMs: number | undefined;
  /** A synced write. */
  syncMs: number | undefined;
  /** How late timers fire, which is how long the event loop stalled. */
  latenessMs: number | undefined;
}

/**
 * Where these times are too short for what was measured: needless elections, or elections that
 * collide. Empty when the timing fits.
 */
export function judgeTiming(timing: ClusterTiming, measured: MeasuredTimes): string[] {
  const { heartbeatIntervalMs, electionTimeoutMs, rankSlotMs, leaseTimeoutMs } = timing;
  const { roundTripMs, syncMs, latenessMs } = measured;
  const problems: string[] = [];
  const demand = (what: string, has: number, needs: number, why: string): void => {
    if (has < needs) problems.push(`${what} is ${round(has)} ms, but ${why} need ${round(needs)} ms`);
  };
  demand(
    'the election timeout',
    electionTimeoutMs,
    2 * heartbeatIntervalMs + (roundTripMs ?? 0),
    'two heartbeats and a round trip',
  );
  demand('the lease', leaseTimeoutMs, 2 * heartbeatIntervalMs, 'two heartbeats');
  if (roundTripMs !== undefined) {
    demand('the election timeout', electionTimeoutMs, 5 * roundTripMs, 'five round trips');
    demand('the rank slot', rankSlotMs, roundTripMs + (syncMs ?? 0), 'a round trip and a synced write');
  }
  if (latenessMs !== undefined) {
    demand('the election timeout', electionTimeoutMs, 4 * latenessMs, 'four stalls of this process');
  }
  return problems;
}

const round = (ms: number): number => Math.round(10 * ms) / 10;

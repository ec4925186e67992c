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

export interface TimingProblem {
  text: string;
  /** A living leader may lose its leadership by it. Otherwise an election may take a second round. */
  isGrave: boolean;
}

/**
 * Where these times are too short for what was measured: needless elections, or elections that
 * collide. Empty when the timing fits.
 */
export function judgeTiming(timing: ClusterTiming, measured: MeasuredTimes): TimingProblem[] {
  const { heartbeatIntervalMs, electionTimeoutMs, rankSlotMs, leaseTimeoutMs } = timing;
  const { roundTripMs, syncMs, latenessMs } = measured;
  const problems: TimingProblem[] = [];
  const demand = (what: string, has: number, needs: number, why: string, isGrave = true): void => {
    if (has >= needs) return;
    problems.push({ text: `${what} is ${round(has)} ms, but ${why} need ${round(needs)} ms`, isGrave });
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
    const needs = roundTripMs + (syncMs ?? 0);
    demand('the rank slot', rankSlotMs, needs, 'a round trip and a synced write', false);
  }
  if (latenessMs !== undefined) {
    demand('the election timeout', electionTimeoutMs, 4 * latenessMs, 'four stalls of this process');
  }
  return problems;
}

const round = (ms: number): number => Math.round(10 * ms) / 10;

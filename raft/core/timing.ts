/** The times that must be the same on all nodes. They are part of the configuration in the log. */
export interface ClusterTiming {
  heartbeatIntervalMs: number;
  /** A follower may stand after this silence, and is loyal to its leader until then. */
  electionTimeoutMs: number;
  /** Step between the timers of followers of neighbouring rank. */
  rankSlotMs: number;
  /** Random addition to a timer. */
  jitterMs: number;
  /** A leader that has not heard a quorum for this long steps down. */
  leaseTimeoutMs: number;
}

export interface Timing extends ClusterTiming {
  /** A request without a response is forgotten after this. */
  requestTimeoutMs: number;
  /** Longest a transfer may take. */
  transferTimeoutMs: number;
}

/** The part of a timing that goes into the log, and nothing else. */
export function clusterTimingOf(timing: ClusterTiming): ClusterTiming {
  const { heartbeatIntervalMs, electionTimeoutMs, rankSlotMs, jitterMs, leaseTimeoutMs } = timing;
  return { heartbeatIntervalMs, electionTimeoutMs, rankSlotMs, jitterMs, leaseTimeoutMs };
}

export function isSameTiming(one: ClusterTiming, other: ClusterTiming): boolean {
  return JSON.stringify(clusterTimingOf(one)) === JSON.stringify(clusterTimingOf(other));
}

/** Shorter ones would be due again at once: a busy loop in which a floating-point clock might not even advance. */
const SHORTEST_MS = 1;

/** Why no cluster can run with these times, and what to do about it; undefined when it can. */
export function timingProblem(timing: ClusterTiming): string | undefined {
  const { heartbeatIntervalMs, electionTimeoutMs, rankSlotMs, jitterMs, leaseTimeoutMs } = timing;
  const times = Object.values(clusterTimingOf(timing));
  if (!times.every((ms) => Number.isFinite(ms) && ms >= 0))
    return 'every time must be a number of milliseconds';
  const steps = { heartbeatIntervalMs, rankSlotMs, jitterMs };
  for (const [name, ms] of Object.entries(steps)) {
    if (ms < SHORTEST_MS) return `${name} is ${ms}, set it to at least ${SHORTEST_MS} ms`;
  }
  if (heartbeatIntervalMs >= leaseTimeoutMs) {
    return `a lease of ${leaseTimeoutMs} ms ends before the next heartbeat (${heartbeatIntervalMs} ms)`;
  }
  if (leaseTimeoutMs > electionTimeoutMs) {
    return `a lease of ${leaseTimeoutMs} ms outlasts the loyalty of the followers (${electionTimeoutMs} ms)`;
  }
  if (rankSlotMs + jitterMs > electionTimeoutMs) return 'rank slot and jitter exceed the election timeout';
  return undefined;
}

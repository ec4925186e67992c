import { z } from 'zod';
import type { Param } from './json-rpc/method-table.js';
import { ArgumentError } from './json-rpc/method-table.js';

const ms = z.number().nonnegative();

/** The times that the whole cluster uses. */
export const clusterTimingSchema = z.object({
  heartbeatIntervalMs: ms,
  /** Silence of the leader after which a follower may stand for election. */
  electionTimeoutMs: ms,
  /** Between two candidates of neighbouring rank. */
  rankSlotMs: ms,
  jitterMs: ms,
  /** A leader that has not heard from a majority for this long steps down. */
  leaseTimeoutMs: ms,
});

export type ClusterTimes = z.infer<typeof clusterTimingSchema>;

/** The name of a profile, or all five times. */
export const timingParam: Param<string | ClusterTimes> = {
  decode: (value) => {
    if (typeof value === 'string') return value;
    const parsed = clusterTimingSchema.safeParse(value);
    if (parsed.success) return parsed.data;
    const [problem] = parsed.error.issues;
    const field = problem?.path.join('.') || 'timing';
    const names = Object.keys(clusterTimingSchema.shape).join(', ');
    throw new ArgumentError(`${field}: ${problem?.message}; send the name of a profile, or {${names}}`);
  },
};

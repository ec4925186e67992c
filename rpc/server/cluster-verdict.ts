import { z } from 'zod';

const count = z.int().nonnegative();

const problem = z.object({
  /** Stable name, in docs/ERRORS.md. */
  code: z.string(),
  /** `critical`: no block can be committed, or one may be published that is not. `degraded`: anything else. */
  severity: z.enum(['degraded', 'critical']),
  /** The member that it is about; null when it is about the cluster. */
  member: z.string().nullable(),
  /** What is wrong, with names and numbers. */
  message: z.string(),
  /** What to do about it, in full sentences. */
  remedy: z.string(),
});

/** The judgement of a whole cluster. Later versions may add members and codes, so readers ignore those that they do not know. */
export const clusterVerdictSchema = z.object({
  /** Changes when a member changes its meaning or goes away. */
  schemaVersion: count,
  /** The worst severity of the problems; `ok` without any. */
  level: z.enum(['ok', 'degraded', 'critical']),
  /** Everything that is wrong, the critical first. */
  problems: z.array(problem),
  /** Id of the member that leads; null without one, and while several call themselves leader. */
  leader: z.string().nullable(),
  voters: count,
  /** Voters that answer and keep up with the leader on the disk that was added. */
  votersKeepingUp: count,
  /** How many of these may fail before no block is committed any more. */
  failureTolerance: count,
});

/** See `clusterVerdictSchema`. */
export type ClusterVerdict = z.infer<typeof clusterVerdictSchema>;

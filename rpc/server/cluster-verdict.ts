import { z } from 'zod';

const count = z.int().nonnegative();

const problem = z.object({
  /** Stable name, in docs/ERRORS.md. */
  code: z.string(),
  /** `critical`: no block can be committed, or one may be published without a commit. `degraded`: anything else. */
  severity: z.enum(['degraded', 'critical']),
  /** The affected member; null when it affects the cluster. */
  member: z.string().nullable(),
  /** What is wrong, with names and numbers. */
  message: z.string(),
  /** What to do about it, in full sentences. */
  remedy: z.string(),
});

/** The judgement of a whole cluster. Later versions may add members and codes, so readers ignore unknown ones. */
export const clusterVerdictSchema = z.object({
  /** Changes when a member changes its meaning or is removed. */
  schemaVersion: count,
  /** The worst severity of the problems; `ok` without any. */
  level: z.enum(['ok', 'degraded', 'critical']),
  /** Everything that is wrong, critical problems first. */
  problems: z.array(problem),
  /** Id of the member that leads; null without one, and while several call themselves leader. */
  leader: z.string().nullable(),
  voters: count,
  /** Voters that answer and keep up with the leader on the disk that was added. */
  votersKeepingUp: count,
  /** How many of these may fail before blocks can no longer be committed. */
  failureTolerance: count,
});

/** See `clusterVerdictSchema`. */
export type ClusterVerdict = z.infer<typeof clusterVerdictSchema>;

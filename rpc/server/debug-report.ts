import { z } from 'zod';

/** A program beside this conductor, by what it says of itself. */
const program = z.object({
  /** Null when it did not say; `error` is why. */
  version: z.string().nullable(),
  error: z.string(),
});

/**
 * The answer of `conductor_debug`: what somebody needs of one node to find out later what happened there, beside its
 * status. Nothing in it is a secret: of URLs it has scheme, host and port.
 */
export const debugReportSchema = z.object({
  /** `raft.server.id` of the answering node. */
  id: z.string(),
  versions: z.object({
    baton: z.string(),
    node: z.string(),
    platform: z.string(),
    opNode: program,
    execution: program,
  }),
  /** The settings in force, in groups; those that were given, by flag, are in `explicit`. */
  config: z.unknown(),
  /** The metrics page, also where none is served. */
  metrics: z.string(),
  log: z.object({
    /** The newest lines, oldest first: JSON, from level debug on, whatever `log.level` is. */
    lines: z.array(z.string()),
    /** Lines of this process that are not among them any more. */
    dropped: z.int().nonnegative(),
  }),
});

/** See `debugReportSchema`. */
export type DebugReport = z.infer<typeof debugReportSchema>;

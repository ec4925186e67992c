import { z } from 'zod';

/** A program beside this conductor, by its own account. */
const program = z.object({
  /** Null when unknown; `error` says why. */
  version: z.string().nullable(),
  error: z.string(),
});

/**
 * The answer of `conductor_debug`: what is needed from one node, besides its status, to find out later what happened
 * there. Nothing in it is a secret: of URLs it has only scheme, host and port.
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
  /** The settings in force, in groups; those given by flag are in `explicit`. */
  config: z.unknown(),
  /** The metrics page, even where none is served. */
  metrics: z.string(),
  log: z.object({
    /** The newest lines, oldest first: JSON, from level debug on, independent of `log.level`. */
    lines: z.array(z.string()),
    /** Lines of this process that are no longer among them. */
    dropped: z.int().nonnegative(),
  }),
});

/** See `debugReportSchema`. */
export type DebugReport = z.infer<typeof debugReportSchema>;

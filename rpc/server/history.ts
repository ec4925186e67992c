import { z } from 'zod';

const count = z.int().nonnegative();

/** The caller, as far as it is known: see `CallerIdentity`. */
const who = z.object({
  address: z.string().optional(),
  token: z.string().optional(),
  owner: z.string().optional(),
  reason: z.string().optional(),
});

/** See `who`. */
export type Who = z.infer<typeof who>;

/**
 * One thing that happened to the cluster:
 * - `operation`: a call for a change; `what` is the method, `details.params` its parameters
 * - `leadership`: another member leads; see `leadershipSchema` for the details
 */
const entry = z.object({
  /** Unique: an entry that comes twice, as a webhook may send it, is the same one. */
  id: z.string(),
  /** When it ended, by the wall clock of the member that noticed, in milliseconds. */
  atMs: z.number(),
  /** The member that noticed. */
  node: z.string(),
  kind: z.string(),
  who,
  what: z.string(),
  /** `done`, or what went wrong. */
  result: z.string(),
  details: z.record(z.string(), z.unknown()),
});

/** See `entry`. */
export type HistoryEntry = z.infer<typeof entry>;

/** The answer to `conductor_history`. Later versions may add kinds and members; readers ignore unknown ones. */
export const historySchema = z.object({
  /** Changes when a member changes its meaning or is removed. */
  schemaVersion: count,
  /** The member that answered. */
  answeredBy: z.string(),
  /** Oldest first. */
  entries: z.array(entry),
});

/** See `historySchema`. */
export type History = z.infer<typeof historySchema>;

export const HISTORY_SCHEMA_VERSION = 1;

/**
 * Why leadership changed:
 * - `process-gone`: the process of the former leader was certainly gone
 * - `no-contact`: the former leader was not heard from for the election timeout
 * - `no-quorum`: the leader itself lost contact with a quorum, and was elected again
 * - `unhealthy`: its node could not go on sequencing; the reason says why
 * - `transfer`: it was requested
 * - `hand-back`: a member of greater priority was fit again
 * - `shutdown`: its process was told to end; the reason is the signal or the call
 * - `not-said`: it transferred leadership without saying why
 * - `start`: the new leader has known no other leader since it started
 */
const CAUSES = [
  'process-gone',
  'no-contact',
  'no-quorum',
  'unhealthy',
  'transfer',
  'hand-back',
  'shutdown',
  'not-said',
  'start',
] as const;

/** What is known about a change of leadership. */
export const leadershipSchema = z.object({
  /** Null when unknown. */
  from: z.string().nullable(),
  to: z.string(),
  term: count,
  cause: z.object({
    type: z.enum(CAUSES),
    /** In words; empty if the type says everything. */
    reason: z.string(),
  }),
  /** From the loss of the former leader to the start of the sequencer; null when none was started. */
  withoutSequencerMs: count.nullable(),
  /** From the last block of the former leader to the first one of the new; null when one of them is unknown. */
  betweenBlocksMs: count.nullable(),
  /** Block times that passed without a block; null when unknown. */
  slotsMissed: count.nullable(),
  /** First block that the new leader committed; null when it led without one. */
  firstBlock: z.object({ number: count, hash: z.string() }).nullable(),
});

/** See `leadershipSchema`. */
export type Leadership = z.infer<typeof leadershipSchema>;

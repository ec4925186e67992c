import { z } from 'zod';

/** The newest format of records that this release reads and writes; members tell it to each other. */
export const RECORD_FORMAT = 1;

/** Longest body of a record in the log, in bytes of JSON. */
export const RECORD_BYTES_MAX = 8 * 1024;

const timeMs = z.int().nonnegative();
const name = z.string().min(1).max(128);
const text = z.string().max(1024);

/** What a record changes besides being kept. `member` null means the whole cluster. */
const changeSchema = z.discriminatedUnion('type', [
  /** The wall clock of each node decides when `untilMs` has come; null: not before a resume. */
  z.strictObject({ type: z.literal('pause'), member: name.nullable(), untilMs: timeMs.nullable() }),
  /** `pauseId`: only that pause; null: whatever pause is recorded by then. */
  z.strictObject({ type: z.literal('resume'), member: name.nullable(), pauseId: name.nullable() }),
  z.strictObject({ type: z.literal('halt') }),
  z.strictObject({ type: z.literal('endHalt') }),
]);

/** See `changeSchema`. */
export type RecordChange = z.infer<typeof changeSchema>;

/** Who is behind a record, as far as that is known. */
const whoSchema = z.strictObject({
  /** Address of the client that called. */
  address: name.optional(),
  /** Name of the token that the client showed. */
  token: name.optional(),
  /** Who answers for it, by his own account. */
  owner: name.optional(),
  reason: text.optional(),
});

/** See `whoSchema`. */
export type RecordWho = z.infer<typeof whoSchema>;

/**
 * The shape of a record in the log. `kind`, `what`, `result` and `details` are for readers: new ones need no new format.
 * A new member of the object, or a new type of change, does.
 */
export const recordSchema = z.strictObject({
  /** Random: the same record has its effect once, however often it is proposed. */
  id: name,
  /** Wall clock of the proposer in milliseconds; nothing is decided by it. */
  atMs: timeMs,
  /** Member where it happened. */
  node: name,
  /** What it is about, such as `operation`, `leadership`, `quorum`. */
  kind: z.string().regex(/^[a-z][a-z-]{0,31}$/),
  who: whoSchema,
  /** What was done or happened, such as `pause`. */
  what: name,
  /** What came of it, such as `done`. */
  result: text,
  /** Further facts; JSON. */
  details: z.record(name, z.json()),
  change: changeSchema.optional(),
});

/** Something that happened, or was decided, to be known by every member; see `recordSchema`. */
export type ClusterRecord = z.infer<typeof recordSchema>;

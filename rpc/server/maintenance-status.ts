import { z } from 'zod';

/** An operator's decision in the log. */
const decision = z.object({
  id: z.string(),
  /** Id of its record. */
  logIndex: z.int().nonnegative(),
  /** Wall clock in milliseconds. */
  sinceMs: z.number(),
  who: z.object({
    address: z.string().optional(),
    token: z.string().optional(),
    owner: z.string().optional(),
    reason: z.string().optional(),
  }),
});

/** A pause in the log. */
const pause = decision.extend({
  /** When it ends by itself, by each node's own clock; null: not before a resume. */
  untilMs: z.number().nullable(),
});

/** Operators' decisions in the log. */
export const maintenanceSchema = z.object({
  /** The pause of the whole cluster. */
  cluster: pause.nullable(),
  /** Those of single members, by id. */
  members: z.record(z.string(), pause),
  /** No sequencer must run anywhere. */
  halt: decision.nullable(),
});

/** See `maintenanceSchema`. */
export type MaintenanceStatus = z.infer<typeof maintenanceSchema>;

import { z } from 'zod';

/** A decision of an operator that the log has. */
const decision = z.object({
  id: z.string(),
  /** Of its record. */
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

/** A pause that the log has. */
const pause = decision.extend({
  /** When it ends by itself, by each node's own clock; null: not before a resume. */
  untilMs: z.number().nullable(),
});

/** What operators have decided, as the log has it. */
export const maintenanceSchema = z.object({
  /** The pause of the whole cluster. */
  cluster: pause.nullable(),
  /** Those of single members, by id. */
  members: z.record(z.string(), pause),
  /** No sequencer is to run anywhere. */
  halt: decision.nullable(),
});

/** See `maintenanceSchema`. */
export type MaintenanceStatus = z.infer<typeof maintenanceSchema>;

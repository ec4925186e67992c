import { z } from 'zod';
import { ArgumentError, type Param } from './json-rpc/method-table.js';

const who = {
  /** Member to pause: the one that gets the call, another one, or null for the whole cluster. */
  member: z.string().min(1).max(128).nullable(),
  /** Its owner and its reason. */
  owner: z.string().max(128).optional(),
  reason: z.string().max(1024).optional(),
};

const pauseSchema = z.strictObject({
  ...who,
  /** How long; null: until it is resumed. */
  forMs: z
    .int()
    .positive()
    .max(30 * 24 * 3600 * 1000)
    .nullable(),
});
const resumeSchema = z.strictObject(who);

/** See `pauseSchema`. */
export type PauseRequest = z.infer<typeof pauseSchema>;
/** See `who`. */
export type ResumeRequest = z.infer<typeof resumeSchema>;

/** The parameter of `conductor_beginPause`. */
export const pauseParam: Param<PauseRequest> = { decode: (value) => checked(pauseSchema, value) };
/** The parameter of `conductor_endPause`. */
export const resumeParam: Param<ResumeRequest> = { decode: (value) => checked(resumeSchema, value) };

function checked<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ArgumentError(z.prettifyError(parsed.error).replaceAll('\n', ' '));
}

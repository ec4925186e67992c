import { z } from 'zod';
import type { ClusterRecord } from '../chain/record.js';
import type { RecordDraft } from '../commit/recorder.js';
import type { HandOver } from './leadership-watch.js';

/** Records of this kind belong to the change of leadership that follows, and are not shown separately. */
export const HAND_OVER = 'hand-over';

const detailsSchema = z.object({
  term: z.int(),
  cause: z.object({
    type: z.enum(['unhealthy', 'transfer', 'hand-back', 'shutdown']),
    reason: z.string(),
  }),
});

const REASON_CHARS_MAX = 1000;

/** A leader's record before it gives leadership away. @param to null: to the best member */
export function handOverDraft({ term, cause, who }: HandOver, to: string | null): RecordDraft {
  const { type, reason } = cause;
  return {
    kind: HAND_OVER,
    what: HAND_OVER,
    who,
    details: { term, to, cause: { type, reason: reason.slice(0, REASON_CHARS_MAX) } },
  };
}

/** Undefined for any other record. */
export function handOverOf({ kind, node, who, details }: ClusterRecord): HandOver | undefined {
  const parsed = kind === HAND_OVER ? detailsSchema.safeParse(details).data : undefined;
  return parsed && { from: node, who, ...parsed };
}

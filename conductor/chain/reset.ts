import { z } from 'zod';
import type { BlockId } from '../../rpc/payload/block-ref.js';

/**
 * Why committed blocks may give way:
 * - `clients-left`: the execution clients of a majority of voters left the committed chain by themselves, as after an
 *   L1 reorg
 * - `operator`: somebody decided so
 */
export type ResetEvidence = 'clients-left' | 'operator';

/** Takes the committed head back to one of its ancestors. Nothing else takes back what was acknowledged. */
export interface ResetRequest {
  /** The committed head that the proposer saw. The reset has no effect if the head has changed. */
  from: BlockId;
  /** The new head: an ancestor of `from`, at any depth. Its payload need not be retained. */
  to: BlockId;
  evidence: ResetEvidence;
  /** For the record: ids of the members whose clients left, or who the operator is. */
  who: string;
}

const blockId = z.object({ number: z.int().nonnegative(), hash: z.string().regex(/^0x[0-9a-f]{64}$/) });

/** The shape of a reset in the log. */
export const resetSchema: z.ZodType<ResetRequest> = z.object({
  from: blockId,
  to: blockId,
  evidence: z.enum(['clients-left', 'operator']),
  who: z.string(),
});

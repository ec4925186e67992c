import type { BlockId } from '../../rpc/payload/block-ref.js';

/**
 * Why committed blocks may give way:
 * - `clients-left`: the execution clients of a majority of voters left the committed chain by themselves, as after an
 *   L1 reorg
 * - `operator`: somebody decided so
 */
export type ResetEvidence = 'clients-left' | 'operator';

/** Takes the committed head back to one of its ancestors. Nothing but this takes back what was acknowledged. */
export interface ResetRequest {
  /** The committed head that the proposer saw: the reset has no effect once it is another. */
  from: BlockId;
  /** The new head: an ancestor of `from`, at any depth; its payload need not be retained. */
  to: BlockId;
  evidence: ResetEvidence;
  /** Ids of the members whose clients left, or who the operator is, for the record. */
  who: string;
}

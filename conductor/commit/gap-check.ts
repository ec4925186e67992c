import type { BlockRef } from '../../rpc/payload/block-ref.js';

/** The canonical chain of the local execution client. */
export interface LocalChain {
  /** Null if it has none yet. */
  blockByNumber(number: number, options: { timeoutMs: number }): Promise<{ hash: string } | null>;
}

/** Why a block above a gap is not linked to the committed head. */
export interface UnlinkedGap {
  reason: string;
  /** The local chain is known not to pass through the committed head. */
  isElsewhere: boolean;
}

/** op-node waits for a commit for a second. */
const TIMEOUT_MS = 500;

const REMEDY = 'let the local node follow the committed chain, or reset a wrong head (baton reset-head)';

/**
 * Whether the local execution client has the blocks between the committed head and a block above it. Without this check,
 * anybody could take the cluster to a height that no node can reach.
 *
 * @returns undefined if it has them
 */
export async function unlinkedGap(
  localChain: LocalChain,
  head: { number: number; hash: string },
  block: BlockRef,
): Promise<UnlinkedGap | undefined> {
  const gap = `block ${block.number} (${block.hash}) leaves a gap above the committed head ${head.number} (${head.hash})`;
  const ask = (number: number): Promise<{ hash: string } | null> =>
    localChain.blockByNumber(number, { timeoutMs: TIMEOUT_MS });
  try {
    const [atHead, parent] = await Promise.all([ask(head.number), ask(block.number - 1)]);
    if (atHead?.hash === head.hash && parent?.hash === block.parentHash) return undefined;
    const seen =
      `its block ${head.number} is ${atHead?.hash ?? 'none'}, ` +
      `its block ${block.number - 1} is ${parent?.hash ?? 'none'} and should be ${block.parentHash}`;
    const reason = `${gap}, and the local execution client does not link the two: ${seen}; ${REMEDY}`;
    return { reason, isElsewhere: atHead?.hash !== head.hash };
  } catch (error) {
    const { message } = error as Error;
    const reason = `${gap}, and the local execution client does not say whether it links the two: ${message}; ${REMEDY}`;
    return { reason, isElsewhere: false };
  }
}

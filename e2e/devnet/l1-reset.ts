import type { ChainStore } from './chain-store.js';
import { originOf, type SimulatedL1 } from './l1-info.js';
import { refOf, type BlockRef } from './payload.js';

/**
 * Where a reset takes op-node's unsafe head: to the highest block of the client's chain that, like all below it,
 * derives from canonical L1 blocks. Nothing is safe or final here, so it may be the genesis block.
 */
export function plausibleHead(chain: ChainStore, l1: SimulatedL1): BlockRef {
  let plausible = refOf(chain.genesis);
  for (const ref of chain.refsFrom(1)) {
    const origin = originOf(chain.byHash(ref.hash)!.executionPayload.transactions);
    if (origin !== undefined && !l1.isCanonical(origin)) break;
    plausible = ref;
  }
  return plausible;
}

import type { Block, BlockStore } from './chain/block-store.js';
import type { L1View } from './chain/l1-chain.js';
import type { Ledger } from './ledger.js';
import type { SimulationOptions } from './options.js';

interface Chains {
  blocks: BlockStore;
  ledger: Ledger;
  l1: L1View;
  options: Pick<SimulationOptions, 'conductor'>;
}

/**
 * The depth of an L1 reorganisation, or less: no deeper than every log certainly remembers. A conductor that was restarted
 * since knows no block below its log, so it cannot tell that its client left the chain there, and nobody can post it what
 * lies between. That is the case of an operator (docs/FORK-SAFETY.md, "What is not promised"); logs of production remember
 * hours.
 */
export function rememberedDepth(chains: Chains, depth: number): number {
  const mostBlocks = Math.floor(chains.options.conductor.retainedEntries / 2);
  let remembered = depth;
  while (remembered > 0 && takenBackBy(chains, remembered) > mostBlocks) remembered -= 1;
  return remembered;
}

/** Committed blocks that no longer stand once L1 has replaced that many of its own. */
function takenBackBy({ blocks, ledger, l1 }: Chains, depth: number): number {
  const head = ledger.lastApplied?.head && blocks.get(ledger.lastApplied.head.hash);
  const lowest = l1.head.number - depth + 1;
  const stands = ({ l1Origin }: Block): boolean => l1Origin.number < lowest && l1.isPlausible(l1Origin);
  return head ? blocks.chainOf(head).findLastIndex((block) => !stands(block)) + 1 : 0;
}

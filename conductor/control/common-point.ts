import type { CallOptions } from '../../rpc/clients/json-rpc-client.js';
import type { BlockId, BlockRef } from '../../rpc/payload/block-ref.js';

interface Chains {
  execution: { blockByNumber(number: number, options: CallOptions): Promise<BlockRef | null> };
  history: { readonly head: BlockId | undefined; hashAt(number: number): string | undefined };
}

/** Where the local chain stands to the committed one. */
interface Relation {
  /** The local chain goes through the committed head. */
  descends: boolean;
  /** Height up to which both are the same; undefined when the retained history cannot tell. */
  common: number | undefined;
}

/** `unknown`: one of the chains does not have that height (any more). */
type Comparison = 'same' | 'other' | 'unknown';

/**
 * Compares the chain of the local node with the committed one, in few questions however deep a fork is: chains that are
 * the same at one height are the same below it, so the height at which they part is found in growing steps back and by
 * halves. The answer is kept for as long as both heads stay.
 */
export class ChainComparison {
  private known: { local: string; target: string; relation: Relation } | undefined;

  constructor(private readonly chains: Chains) {}

  /** @param target the committed head */
  async relate(local: BlockRef, target: BlockId, call: CallOptions): Promise<Relation> {
    const { known } = this;
    if (known?.local === local.hash && known.target === target.hash) return known.relation;
    const relation = await this.search(local, target, call);
    this.known = { local: local.hash, target: target.hash, relation };
    return relation;
  }

  private async search(local: BlockRef, target: BlockId, call: CallOptions): Promise<Relation> {
    const top = Math.min(local.number, target.number);
    const compare = (number: number): Promise<Comparison> => this.compare(number, local, call);
    const atTop = await compare(top);
    if (atTop === 'same') return { descends: local.number >= target.number, common: top };
    if (atTop === 'unknown') return { descends: false, common: undefined };

    let differs = top;
    let below = top;
    let atBelow: Comparison = 'other';
    for (let step = 1; atBelow === 'other' && below > 0; step *= 2) {
      differs = below;
      below = Math.max(0, below - step);
      atBelow = await compare(below);
    }
    if (atBelow === 'other') return { descends: false, common: undefined };
    while (differs - below > 1) {
      const middle = below + Math.floor((differs - below) / 2);
      const atMiddle = await compare(middle);
      if (atMiddle === 'other') differs = middle;
      else [below, atBelow] = [middle, atMiddle];
    }
    return { descends: false, common: atBelow === 'same' ? below : undefined };
  }

  private async compare(number: number, local: BlockRef, call: CallOptions): Promise<Comparison> {
    const committed = this.chains.history.hashAt(number);
    if (committed === undefined) return 'unknown';
    const own = number === local.number ? local : await this.chains.execution.blockByNumber(number, call);
    if (!own) return 'unknown';
    return own.hash === committed ? 'same' : 'other';
  }
}

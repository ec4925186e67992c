import type { CallOptions } from '../../rpc/clients/json-rpc-client.js';
import type { BlockId, BlockRef } from '../../rpc/payload/block-ref.js';

interface Chains {
  execution: { blockByNumber(number: number, options: CallOptions): Promise<BlockRef | null> };
  history: { readonly head: BlockId | undefined; hashAt(number: number): string | undefined };
}

/** The two blocks of one height that tell two chains apart. */
export interface Difference {
  number: number;
  /** Hash on the local chain. */
  local: string;
  /** Hash on the committed chain. */
  committed: string;
}

/** How the local chain relates to the committed one. */
export interface Relation {
  /** The local chain goes through the committed head. */
  descends: boolean;
  /** Height up to which both are the same; undefined when the retained history cannot tell. */
  common: number | undefined;
  /** At the highest height that both chains have; undefined if they are the same there, or it is unknown. */
  differs: Difference | undefined;
}

/** `unknown`: one of the chains does not have that height, or no longer has it. */
type Comparison = 'same' | Difference | 'unknown';

/**
 * Compares the chain of the local node with the committed one, with few queries even for a deep fork: chains that are
 * the same at one height are the same below it, so growing steps back and then halving find the height at which they
 * part. The answer is kept while both heads stay the same.
 */
export class ChainComparison {
  private known: { local: string; target: string; relation: Relation } | undefined;

  constructor(private readonly chains: Chains) {}

  /** @param target the committed head */
  async relate(local: BlockId, target: BlockId, call: CallOptions): Promise<Relation> {
    const { known } = this;
    if (known?.local === local.hash && known.target === target.hash) return known.relation;
    const relation = await this.search(local, target, call);
    this.known = { local: local.hash, target: target.hash, relation };
    return relation;
  }

  private async search(local: BlockId, target: BlockId, call: CallOptions): Promise<Relation> {
    const top = Math.min(local.number, target.number);
    const compare = (number: number): Promise<Comparison> => this.compare(number, local, call);
    const atTop = await compare(top);
    if (atTop === 'same') return { descends: local.number >= target.number, common: top, differs: undefined };
    if (atTop === 'unknown') return { descends: false, common: undefined, differs: undefined };

    let above = top;
    let below = top;
    let atBelow: Comparison = atTop;
    for (let step = 1; isOther(atBelow) && below > 0; step *= 2) {
      above = below;
      below = Math.max(0, below - step);
      atBelow = await compare(below);
    }
    if (isOther(atBelow)) return { descends: false, common: undefined, differs: atTop };
    while (above - below > 1) {
      const middle = below + Math.floor((above - below) / 2);
      const atMiddle = await compare(middle);
      if (isOther(atMiddle)) above = middle;
      else [below, atBelow] = [middle, atMiddle];
    }
    return { descends: false, common: atBelow === 'same' ? below : undefined, differs: atTop };
  }

  private async compare(number: number, local: BlockId, call: CallOptions): Promise<Comparison> {
    const committed = this.chains.history.hashAt(number);
    if (committed === undefined) return 'unknown';
    const own = number === local.number ? local : await this.chains.execution.blockByNumber(number, call);
    if (!own) return 'unknown';
    return own.hash === committed ? 'same' : { number, local: own.hash, committed };
  }
}

const isOther = (comparison: Comparison): comparison is Difference => typeof comparison === 'object';

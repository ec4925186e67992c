import type { Hex } from 'viem';

/** A block as an execution client reports it. */
export interface BlockRef {
  number: number;
  hash: Hex;
  parentHash: Hex;
}

/** An entry of the log that took the committed head back to an ancestor. */
export interface ChainReset {
  from: Pick<BlockRef, 'number' | 'hash'>;
  to: Pick<BlockRef, 'number' | 'hash'>;
}

/** Which execution clients ever had each block, and which conductors acknowledged it, by height. */
export class SeenBlocks {
  private readonly byHeight = new Map<number, Map<Hex, Set<string>>>();
  private readonly parents = new Map<Hex, Hex>();

  note(witness: string, { number, hash, parentHash }: BlockRef): void {
    const blocks = this.byHeight.get(number) ?? new Map<Hex, Set<string>>();
    this.byHeight.set(number, blocks);
    blocks.set(hash, (blocks.get(hash) ?? new Set()).add(witness));
    this.parents.set(hash, parentHash);
  }

  has(witness: string, { number, hash }: BlockRef): boolean {
    return this.byHeight.get(number)?.get(hash)?.has(witness) ?? false;
  }

  /** Hash of the parent of a block that was seen. */
  parentOf(hash: Hex): Hex | undefined {
    return this.parents.get(hash);
  }

  /** Highest block that any node has had; 0 when there was none. */
  highest(): number {
    return Math.max(0, ...this.byHeight.keys());
  }

  /** Every block that was seen at `height`, with its witnesses. */
  at(height: number): [Hex, Set<string>][] {
    return [...(this.byHeight.get(height) ?? [])];
  }
}

/** Every height at which two chains differ, and every block that does not link to the one below it. */
export function differences(chains: ReadonlyMap<string, readonly BlockRef[]>): string[] {
  const problems: string[] = [];
  const [reference, ...others] = [...chains];
  if (reference === undefined) return ['there is no chain to compare'];
  const [referenceName, blocks] = reference;
  for (const [index, block] of blocks.entries()) {
    const parent = blocks[index - 1];
    if (block.number !== index) problems.push(`${referenceName} answers block ${block.number} for ${index}`);
    if (parent !== undefined && block.parentHash !== parent.hash) {
      problems.push(`${referenceName} has a block ${index} that does not follow its block ${index - 1}`);
    }
    for (const [name, chain] of others) {
      const hash = chain[index]?.hash ?? 'no block';
      if (hash !== block.hash)
        problems.push(`block ${index} is ${block.hash} on ${referenceName} and ${hash} on ${name}`);
    }
  }
  return problems;
}

/**
 * Every block up to the chain's head that some node once had, but that is not in the chain and that no reset took back. One
 * witness is enough: op-node gives a block to gossip and to its own execution client only after the commit.
 */
export function lostBlocks(
  seen: SeenBlocks,
  chain: readonly BlockRef[],
  resets: readonly ChainReset[],
): string[] {
  const excused = givenUp(seen, resets);
  return chain.flatMap(({ number, hash: kept }) =>
    seen
      .at(number)
      .filter(([hash]) => hash !== kept && !excused.has(hash))
      .map(
        ([hash, witnesses]) =>
          `block ${number} ${hash} is gone, which ${[...witnesses].join(' and ')} had; now it is ${kept}`,
      ),
  );
}

/**
 * Every block after genesis whose commit no op-node ever requested: a block built without its conductor. (Whether it was
 * acknowledged cannot be checked: the caller may have died before the answer.)
 */
export function unbroughtBlocks(chain: readonly BlockRef[], wasBrought: (hash: Hex) => boolean): string[] {
  return chain
    .filter(({ number, hash }) => number > 0 && !wasBrought(hash))
    .map(({ number, hash }) => `block ${number} ${hash} was never brought to a conductor`);
}

/** The blocks that resets took back: each `from` and its ancestors above `to`, and no block beside them. */
function givenUp(seen: SeenBlocks, resets: readonly ChainReset[]): Set<Hex> {
  const hashes = new Set<Hex>();
  for (const { from, to } of resets) {
    let hash: Hex | undefined = from.hash;
    for (let number = from.number; number > to.number && hash !== undefined; number--) {
      hashes.add(hash);
      hash = seen.parentOf(hash);
    }
  }
  return hashes;
}

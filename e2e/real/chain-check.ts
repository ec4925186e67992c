import type { Hex } from 'viem';

/** A block as an execution client tells it. */
export interface BlockRef {
  number: number;
  hash: Hex;
  parentHash: Hex;
}

/** Which nodes have ever had which block, by height. */
export class SeenBlocks {
  private readonly byHeight = new Map<number, Map<Hex, Set<string>>>();

  note(node: string, number: number, hash: Hex): void {
    const blocks = this.byHeight.get(number) ?? new Map<Hex, Set<string>>();
    this.byHeight.set(number, blocks);
    blocks.set(hash, (blocks.get(hash) ?? new Set()).add(node));
  }

  has(node: string, number: number, hash: Hex): boolean {
    return this.byHeight.get(number)?.get(hash)?.has(node) ?? false;
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
 * Every block up to the chain's head that some node once had and that is not in the chain. One witness is
 * enough: op-node gives a block to gossip and to its own execution client only after the commit.
 */
export function lostBlocks(seen: SeenBlocks, chain: readonly BlockRef[]): string[] {
  return chain.flatMap(({ number, hash: kept }) =>
    seen
      .at(number)
      .filter(([hash]) => hash !== kept)
      .map(
        ([hash, nodes]) =>
          `block ${number} ${hash} is gone, which ${[...nodes].join(' and ')} had; now it is ${kept}`,
      ),
  );
}

import type { Hex } from 'viem';
import type { BlockRef } from '../devnet/payload.js';

interface Entry {
  block: BlockRef;
  /** The first node that showed it. */
  node: string;
}

/**
 * Everything ever committed, recorded while the cluster ran and never corrected. op-node gossips and imports a
 * block only after its conductor has acknowledged the commit, so every block in any node's chain belongs here.
 */
export class CommittedLedger {
  readonly #byHeight = new Map<number, Map<Hex, Entry>>();
  #highest: BlockRef | undefined;

  note(node: string, block: BlockRef): void {
    if (block.number === 0) return;
    const entries = this.#byHeight.get(block.number) ?? new Map<Hex, Entry>();
    this.#byHeight.set(block.number, entries);
    if (!entries.has(block.hash)) entries.set(block.hash, { block, node });
    if (block.number > (this.#highest?.number ?? 0)) this.#highest = block;
  }

  get highest(): BlockRef | undefined {
    return this.#highest;
  }

  /**
   * Everything that is wrong with the final chains of the nodes, each from genesis to its head, by name of the node;
   * empty if every node has every committed block in its place.
   */
  problems(chains: ReadonlyMap<string, readonly BlockRef[]>): string[] {
    const highest = this.#highest?.number ?? 0;
    if (highest === 0) return ['no block was committed'];
    const heights = Array.from({ length: highest }, (_, index) => index + 1);
    return [
      ...heights.flatMap((height) => this.#ambiguous(height)),
      ...[...chains].flatMap(([node, chain]) => [
        ...brokenLinks(node, chain),
        ...heights.flatMap((height) => this.#missing(height, node, chain[height])),
      ]),
    ];
  }

  #entries(height: number): Entry[] {
    return [...(this.#byHeight.get(height)?.values() ?? [])];
  }

  #ambiguous(height: number): string[] {
    const entries = this.#entries(height);
    if (entries.length === 0) return [`nobody showed a block ${height}`];
    if (entries.length === 1) return [];
    const found = entries.map(({ block, node }) => `${block.hash} on ${node}`).join(', ');
    return [`block ${height} was committed more than once: ${found}`];
  }

  #missing(height: number, node: string, kept: BlockRef | undefined): string[] {
    return this.#entries(height)
      .filter(({ block }) => block.hash !== kept?.hash)
      .map(({ block, node: witness }) => {
        const what = `block ${height} ${block.hash}, committed on ${witness},`;
        return kept === undefined
          ? `${what} is lost: ${node} does not have it`
          : `${what} was replaced on ${node} by ${kept.hash}`;
      });
  }
}

function brokenLinks(node: string, chain: readonly BlockRef[]): string[] {
  return chain.flatMap((block, index) => {
    if (block.number !== index) return [`${node} has block ${block.number} where block ${index} should be`];
    const parent = chain[index - 1];
    if (parent === undefined || block.parentHash === parent.hash) return [];
    return [`block ${index} of ${node} does not follow its block ${index - 1}`];
  });
}

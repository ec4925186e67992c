import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { DevnetProcess } from '../devnet/devnet-process.js';
import { refOf, type BlockRef, type PayloadEnvelope } from '../devnet/payload.js';
import { waitFor } from './wait-for.js';

/** The parts of a cluster's nodes used here. */
interface BlockHolder {
  id: string;
  devnetDir: string;
  devnet: Pick<DevnetProcess, 'pid' | 'blocks'>;
}

/** The parts of a cluster used here. */
export interface BlockHolders {
  nodes: readonly BlockHolder[];
  convergedAt(number: number): Promise<string>;
}

/** Waits until all running nodes have this height, and returns its hash. */
export async function convergedAt(
  nodes: readonly Pick<BlockHolder, 'id' | 'devnet'>[],
  number: number,
  withinMs = 30_000,
): Promise<string> {
  return waitFor(
    `all nodes at block ${number}`,
    async () => {
      const running = nodes.filter((node) => node.devnet.pid !== undefined);
      const chains = await Promise.all(running.map((node) => node.devnet.blocks(number)));
      const hashes = chains.map((chain) => chain.find((block) => block.number === number)?.hash);
      if (hashes.every((hash) => hash !== undefined && hash === hashes[0])) return hashes[0];
      throw new Error(running.map(({ id }, at) => `${id} has ${hashes[at] ?? 'none'}`).join(', '));
    },
    withinMs,
  );
}

/**
 * Every block that a node ever published or had, from its disk: its own, and those that came by gossip or from the
 * conductor. op-node publishes nothing before its conductor reports the commit, so all of them are committed blocks.
 */
export async function blocksEverHeld(node: Pick<BlockHolder, 'devnetDir'>): Promise<BlockRef[]> {
  const journal = await readFile(path.join(node.devnetDir, 'chain.jsonl'), 'utf8');
  const blocks = new Map<string, BlockRef>();
  for (const line of journal.slice(0, journal.lastIndexOf('\n') + 1).split('\n')) {
    if (!/^{"(block|published)":/.test(line)) continue;
    const entry = JSON.parse(line) as { block: PayloadEnvelope } | { published: BlockRef };
    const ref = 'block' in entry ? refOf(entry.block) : entry.published;
    blocks.set(ref.hash, ref);
  }
  return [...blocks.values()];
}

/**
 * Waits until all running nodes have every block that any node ever had, and says which ones were lost or replaced.
 *
 * @returns one line per wrong block; empty when there is one chain and none of its blocks is gone
 */
export async function lostOrReplaced(cluster: BlockHolders): Promise<string[]> {
  const held = await Promise.all(cluster.nodes.map(blocksEverHeld));
  await cluster.convergedAt(Math.max(...held.flat().map(({ number }) => number)));
  const running = cluster.nodes.filter(({ devnet }) => devnet.pid !== undefined);
  const problems: string[] = [];
  for (const { id, devnet } of running) {
    const chain = await devnet.blocks();
    for (const [at, blocks] of held.entries()) {
      for (const { number, hash } of blocks) {
        const found = chain[number]?.hash;
        if (found === hash) continue;
        problems.push(
          `block ${number} (${hash}), which ${cluster.nodes[at]!.id} had, is ${found ?? 'missing'} on ${id}`,
        );
      }
    }
    for (const { number, parentHash } of chain.slice(1)) {
      if (chain[number - 1]?.hash !== parentHash) problems.push(`block ${number} of ${id} hangs on no block`);
    }
  }
  return problems;
}

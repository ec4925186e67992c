import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { childOf, genesisBlock } from '../devnet/block.js';
import { refOf, type PayloadEnvelope } from '../devnet/payload.js';
import { lostOrReplaced, type BlockHolders } from './published-blocks.js';

describe('lostOrReplaced', () => {
  const genesis = genesisBlock(901, 100);
  const one = childOf(genesis);
  const two = childOf(one);
  const otherTwo = childOf(one, { timestamp: 200 });
  const three = childOf(two);
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(path.join(os.tmpdir(), 'baton-published-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  /** Nodes that ever had `held` on disk, and have `chain` now. */
  function clusterOf(nodes: { held: PayloadEnvelope[]; chain: PayloadEnvelope[] }[]): BlockHolders {
    return {
      convergedAt: async () => '',
      nodes: nodes.map(({ held, chain }, at) => {
        const devnetDir = path.join(directory, String(at));
        mkdirSync(devnetDir, { recursive: true });
        const journal = held.map((block) => `${JSON.stringify({ block })}\n`).join('');
        writeFileSync(path.join(devnetDir, 'chain.jsonl'), journal);
        return { id: `n${at}`, devnetDir, devnet: { pid: 1, blocks: async () => chain.map(refOf) } };
      }),
    };
  }

  it('reports nothing for one chain that everybody has', async () => {
    const chain = [genesis, one, two, three];
    const nodes = [
      { held: [one, two, three], chain },
      { held: [one, two], chain },
    ];
    expect(await lostOrReplaced(clusterOf(nodes))).toEqual([]);
  });

  it('names a block that is gone, and one that was replaced', async () => {
    const { hash } = refOf(two);
    const gone = [{ held: [one, two], chain: [genesis, one] }];
    expect(await lostOrReplaced(clusterOf(gone))).toEqual([
      `block 2 (${hash}), which n0 had, is missing on n0`,
    ]);

    const chain = [genesis, one, otherTwo];
    const replaced = [
      { held: [one, two], chain },
      { held: [one, otherTwo], chain },
    ];
    const found = refOf(otherTwo).hash;
    expect(await lostOrReplaced(clusterOf(replaced))).toEqual([
      `block 2 (${hash}), which n0 had, is ${found} on n0`,
      `block 2 (${hash}), which n0 had, is ${found} on n1`,
    ]);
  });

  it('names a block that was published and that no node ever had', async () => {
    const cluster = clusterOf([{ held: [one, two], chain: [genesis, one, two] }]);
    const lost = refOf(otherTwo);
    const journal = path.join(cluster.nodes[0]!.devnetDir, 'chain.jsonl');
    appendFileSync(journal, `${JSON.stringify({ published: lost })}\n`);
    expect(await lostOrReplaced(cluster)).toEqual([
      `block 2 (${lost.hash}), which n0 had, is ${refOf(two).hash} on n0`,
    ]);
  });

  it('names a block whose parent is not below it', async () => {
    const nodes = [{ held: [one], chain: [genesis, one, otherTwo, three] }];
    expect(await lostOrReplaced(clusterOf(nodes))).toEqual(['block 3 of n0 hangs on no block']);
  });
});

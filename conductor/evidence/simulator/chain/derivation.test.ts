import { beforeEach, describe, expect, it } from '@jest/globals';
import { BlockStore, type Block } from './block-store.js';
import { Derivation } from './derivation.js';
import { L1Chain, type L1Ref } from './l1-chain.js';

describe('the derivation', () => {
  let blocks: BlockStore;
  let l1: L1Chain;
  let genesis: Block;
  let derivation: Derivation;

  beforeEach(() => {
    blocks = new BlockStore();
    l1 = new L1Chain(5);
    genesis = seal(null);
    derivation = new Derivation(blocks, genesis);
  });

  const seal = (parent: Block | null, l1Origin: L1Ref = l1.view.head): Block =>
    blocks.seal(parent, { timestamp: 0, l1Origin, builder: 'n1', transactionBytes: 0 });
  const post = (...batch: Block[]): void => l1.grow(batch.map(({ hash }) => hash));
  const safe = (): Block => derivation.safeHead(l1.view);

  it('begins where the rollup begins', () => {
    expect(safe()).toBe(genesis);
  });

  it('continues with the blocks of batches, in their order', () => {
    const first = seal(genesis);
    const second = seal(first);
    post(first);
    expect(safe()).toBe(first);
    post();
    post(second);
    expect(safe()).toBe(second);
  });

  it('accepts the first of two blocks at a height, and nothing above a gap', () => {
    const [first, rival] = [seal(genesis), seal(genesis)];
    post(seal(first));
    post(first, rival, seal(rival));
    expect(safe()).toBe(first);
  });

  it('drops what an L1 reorg took away, and accepts it again from a later batch', () => {
    const first = seal(genesis);
    post(first);
    expect(safe()).toBe(first);
    l1.reorg(1);
    expect(safe()).toBe(genesis);
    post(first);
    expect(safe()).toBe(first);
  });

  it('drops a block whose origin is on another L1', () => {
    l1.grow();
    const dead = seal(genesis);
    l1.reorg(1);
    post(dead);
    expect(safe()).toBe(genesis);
  });
});

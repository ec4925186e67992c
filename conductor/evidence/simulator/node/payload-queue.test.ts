import { beforeEach, describe, expect, it } from '@jest/globals';
import { BlockStore, type Block } from '../chain/block-store.js';
import { PayloadQueue } from './payload-queue.js';

describe('the queue of unsafe payloads', () => {
  let blocks: BlockStore;
  let chain: Block[];
  let queue: PayloadQueue;

  beforeEach(() => {
    blocks = new BlockStore();
    queue = new PayloadQueue();
    chain = [];
    for (let number = 0; number <= 5; number++) chain.push(seal(chain.at(-1) ?? null));
  });

  const seal = (parent: Block | null): Block =>
    blocks.seal(parent, {
      timestamp: 0,
      l1Origin: { number: 0, branch: 0 },
      builder: 'n1',
      transactionBytes: 0,
    });
  const at = (number: number): Block => chain[number] as Block;

  it('returns the payloads from the lowest, each on top of the head', () => {
    for (const number of [4, 3]) queue.push(at(number));
    queue.dropInapplicable(at(2));
    expect(queue.nextOn(at(2))).toBe(at(3));
    queue.dropInapplicable(at(3));
    expect(queue.nextOn(at(3))).toBe(at(4));
  });

  it('drops what is at the head or below, on any branch', () => {
    for (const block of [at(2), seal(at(1)), at(1)]) queue.push(block);
    queue.dropInapplicable(at(2));
    expect(queue.lowest).toBeUndefined();
  });

  it('drops a payload of another parent right above the head, and then gives the next one its turn', () => {
    const sibling = seal(at(1));
    for (const block of [seal(sibling), at(3)]) queue.push(block);
    queue.dropInapplicable(at(2));
    expect(queue.nextOn(at(2))).toBe(at(3));
  });

  it('keeps what is above a gap, because it may fit later', () => {
    const stranger = seal(seal(seal(at(2))));
    queue.push(stranger);
    queue.dropInapplicable(at(2));
    expect(queue.nextOn(at(2))).toBeUndefined();
    expect(queue.lowest).toBe(stranger);
  });

  it('does not accept a payload twice', () => {
    queue.push(at(3));
    queue.push(at(3));
    queue.dropInapplicable(at(3));
    expect(queue.lowest).toBeUndefined();
  });
});

import { describe, expect, it } from '@jest/globals';
import { chainOn, childOf, genesisBlock } from './block.js';
import { PayloadsQueue } from './payloads-queue.js';
import { refOf } from './payload.js';

describe('queue of unsafe payloads', () => {
  const genesis = genesisBlock(901, 1000);
  const blocks = chainOn(genesis, 4);
  const drain = (queue: PayloadsQueue) => {
    const numbers = [];
    for (let next = queue.shift(); next; next = queue.shift()) numbers.push(refOf(next).number);
    return numbers;
  };

  it('gives the lowest number first, in any order of arrival', () => {
    const queue = new PayloadsQueue(10);
    for (const at of [2, 0, 3, 1]) expect(queue.push(blocks[at]!)).toBe(true);
    expect(queue.first).toBe(blocks[0]);
    expect(drain(queue)).toEqual([1, 2, 3, 4]);
    expect(queue.first).toBeUndefined();
  });

  it('accepts siblings, but no block twice while it is queued', () => {
    const queue = new PayloadsQueue(10);
    expect(queue.push(blocks[0]!)).toBe(true);
    expect(queue.push(childOf(genesis, { timestamp: 2000 }))).toBe(true);
    expect(queue.push({ ...blocks[0]! })).toBe(false);
    expect(queue.length).toBe(2);
    drain(queue);
    expect(queue.push(blocks[0]!)).toBe(true);
  });

  it('drops the lowest when it is full, even the one that came last', () => {
    const queue = new PayloadsQueue(2);
    for (const at of [1, 2, 3]) queue.push(blocks[at]!);
    expect(queue.push(blocks[0]!)).toBe(false);
    expect(drain(queue)).toEqual([3, 4]);
  });
});

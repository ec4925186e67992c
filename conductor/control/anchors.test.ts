import { describe, expect, it } from '@jest/globals';
import { hashOf } from '../testing/chain.js';
import { Anchors } from './anchors.js';

const block = (number: number) => ({ number, hash: hashOf(number) });

describe('Anchors', () => {
  it('are few, newest first, and reach far back at distances that roughly double', () => {
    const anchors = new Anchors();
    const newest = 100_000;
    for (let number = 0; number <= newest; number++) anchors.add(block(number));
    const numbers = [...anchors].map(({ number }) => number);
    expect(numbers[0]).toBe(newest);
    expect(numbers).toEqual([...numbers].sort((a, b) => b - a));
    expect(numbers.length).toBeLessThan(20);
    for (const depth of [10, 100, 1000, 10_000, 90_000]) {
      const found = numbers.find((number) => number <= newest - depth)!;
      expect(newest - found).toBeLessThanOrEqual(4 * depth);
    }
  });

  it('ignore blocks that are not above the newest', () => {
    const anchors = new Anchors();
    for (const number of [5, 3, 5, 6]) anchors.add(block(number));
    expect([...anchors].map(({ number }) => number)).toEqual([6, 5]);
  });

  it('forget blocks that are no longer committed', () => {
    const anchors = new Anchors();
    for (const number of [5, 6, 7]) anchors.add(block(number));
    anchors.keepOnly(({ number }) => number < 7);
    anchors.add(block(7));
    expect([...anchors].map(({ number }) => number)).toContain(7);
  });
});

import { describe, expect, it } from '@jest/globals';
import { ChainState } from '../chain/chain-state.js';
import { committed, refOf } from '../testing/chain.js';
import { BlockRhythm } from './block-rhythm.js';

/** The rhythm of a chain with these blocks, two seconds apart. */
function rhythmOf(...numbers: number[]): BlockRhythm {
  const chain = new ChainState();
  for (const number of numbers) chain.apply(committed(refOf(number), number), undefined);
  return new BlockRhythm(chain);
}

describe('BlockRhythm', () => {
  it('waits for a block a little longer than the last one took', () => {
    const rhythm = rhythmOf(5, 6);
    rhythm.committed(10_000);
    expect(rhythm.isOverdue(12_300)).toBe(false);
    expect(rhythm.isOverdue(12_301)).toBe(true);
    rhythm.committed(12_400);
    expect(rhythm.isOverdue(12_401)).toBe(false);
  });

  it.each([
    ['an empty log', []],
    ['one block', [5]],
    ['a block above a gap', [5, 7]],
  ])('knows nothing of %s', (_, numbers) => {
    const rhythm = rhythmOf(...numbers);
    rhythm.committed(0);
    expect(rhythm.isOverdue(1_000_000)).toBe(false);
  });

  it('expects nothing before the first commit', () => {
    expect(rhythmOf(5, 6).isOverdue(1_000_000)).toBe(false);
  });
});

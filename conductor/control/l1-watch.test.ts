import { describe, expect, it } from '@jest/globals';
import { hashOf } from '../testing/chain.js';
import { L1Watch } from './l1-watch.js';

const block = (number: number, branch = 'a', parentBranch = branch) => ({
  number,
  hash: hashOf(number, branch),
  parentHash: hashOf(number - 1, parentBranch),
});

/** Its answer a second after the last of these sightings, one a second. */
function after(...sightings: ReturnType<typeof block>[][]): boolean {
  const watch = new L1Watch();
  sightings.forEach((blocks, second) => watch.note(blocks, second * 1000));
  return watch.replacedAround(sightings.length * 1000);
}

describe('L1Watch', () => {
  it.each([
    ['grows', [[block(1)], [block(2)], [block(2)], [block(3)]], false],
    ['has another block of the same height', [[block(1)], [block(2)], [block(2, 'b', 'a')]], true],
    ['has another block with another parent', [[block(1)], [block(2)], [block(3, 'b')]], true],
    ['is shorter for a while', [[block(3)], [block(2)], [block(3)]], false],
    ['was not seen for some blocks', [[block(1)], [block(5, 'b')]], false],
    [
      'was not seen for a block, but is derived from again',
      [[block(2)], [block(5, 'b'), block(2, 'b')]],
      true,
    ],
    ['is seen for the first time', [[block(7)]], false],
    ['is not told', [[block(1)], [], [block(2)]], false],
  ])('an L1 that %s', (_, sightings, replaced) => {
    expect(after(...sightings)).toBe(replaced);
  });

  it.each([
    [-2001, false],
    [-2000, true],
    [0, true],
    [30_000, true],
    [30_001, false],
  ])('that replaced blocks is a reason for what happened %i ms later: %s', (laterMs, isReason) => {
    const watch = new L1Watch();
    watch.note([block(2)], 0);
    watch.note([block(2, 'b', 'a')], 10_000);
    expect(watch.replacedAround(10_000 + laterMs)).toBe(isReason);
  });

  it('does not mistake a height from long ago for a replaced one', () => {
    const watch = new L1Watch();
    watch.note([block(2)], 0);
    watch.note([block(300)], 1000);
    watch.note([block(2, 'b', 'a')], 2000);
    expect(watch.replacedAround(2000)).toBe(false);
  });
});

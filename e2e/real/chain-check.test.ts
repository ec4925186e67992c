import { describe, expect, it } from '@jest/globals';
import { pad, numberToHex, type Hex } from 'viem';
import { differences, lostBlocks, SeenBlocks, type BlockRef } from './chain-check.js';

/** A hash that tells the height and, by `variant`, competing blocks of that height. */
const hashOf = (number: number, variant = 0): Hex => pad(numberToHex(number * 16 + variant));

function chain(length: number): BlockRef[] {
  return Array.from({ length }, (_, number) => ({
    number,
    hash: hashOf(number),
    parentHash: hashOf(number - 1 < 0 ? 0 : number - 1),
  }));
}

describe('differences', () => {
  it('finds nothing in equal chains', () => {
    expect(
      differences(
        new Map([
          ['a', chain(5)],
          ['b', chain(5)],
          ['c', chain(5)],
        ]),
      ),
    ).toEqual([]);
  });

  it('names the height and both nodes where hashes differ', () => {
    const forked = chain(5);
    forked[3] = { number: 3, hash: hashOf(3, 1), parentHash: hashOf(2) };
    const problems = differences(
      new Map([
        ['a', chain(5)],
        ['b', chain(5)],
        ['c', forked],
      ]),
    );
    expect(problems).toEqual([`block 3 is ${hashOf(3)} on a and ${hashOf(3, 1)} on c`]);
  });

  it('misses no height that one node lacks', () => {
    expect(
      differences(
        new Map([
          ['a', chain(3)],
          ['b', chain(2)],
        ]),
      ),
    ).toEqual([`block 2 is ${hashOf(2)} on a and no block on b`]);
  });

  it('finds a block that does not link to its parent', () => {
    const broken = chain(4);
    broken[2] = { number: 2, hash: hashOf(2), parentHash: hashOf(1, 1) };
    expect(
      differences(
        new Map([
          ['a', broken],
          ['b', broken],
        ]),
      ),
    ).toEqual(['a has a block 2 that does not follow its block 1']);
  });

  it('refuses to call nothing equal', () => {
    expect(differences(new Map())).not.toEqual([]);
  });
});

describe('lostBlocks', () => {
  it('finds nothing while every seen block is kept', () => {
    const seen = new SeenBlocks();
    for (const { number, hash } of chain(4)) for (const node of ['a', 'b']) seen.note(node, number, hash);
    expect(lostBlocks(seen, chain(4))).toEqual([]);
  });

  it('names a replaced block and everyone who had it', () => {
    const seen = new SeenBlocks();
    seen.note('a', 2, hashOf(2, 1));
    seen.note('b', 2, hashOf(2, 1));
    seen.note('c', 2, hashOf(2));
    expect(lostBlocks(seen, chain(4))).toEqual([
      `block 2 ${hashOf(2, 1)} is gone, which a and b had; now it is ${hashOf(2)}`,
    ]);
  });

  it('leaves heights above the chain for a later look', () => {
    const seen = new SeenBlocks();
    seen.note('a', 9, hashOf(9, 1));
    expect(lostBlocks(seen, chain(4))).toEqual([]);
    expect(lostBlocks(seen, chain(10))).toHaveLength(1);
  });
});

describe('SeenBlocks', () => {
  it('knows the highest block and who has which', () => {
    const seen = new SeenBlocks();
    expect(seen.highest()).toBe(0);
    seen.note('a', 7, hashOf(7));
    expect(seen.highest()).toBe(7);
    expect(seen.has('a', 7, hashOf(7))).toBe(true);
    expect(seen.has('b', 7, hashOf(7))).toBe(false);
    expect(seen.has('a', 7, hashOf(7, 1))).toBe(false);
  });
});

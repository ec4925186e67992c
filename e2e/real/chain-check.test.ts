import { describe, expect, it } from '@jest/globals';
import { pad, numberToHex, type Hex } from 'viem';
import { differences, lostBlocks, SeenBlocks, unbroughtBlocks, type BlockRef } from './chain-check.js';

/** A hash that encodes the height and, with `variant`, competing blocks of that height. */
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

/** A block beside the chain that {@link chain} gives, on its block below. */
function rival(number: number, variant = 1): BlockRef {
  return { number, hash: hashOf(number, variant), parentHash: hashOf(number - 1) };
}

describe('lostBlocks', () => {
  it('finds nothing while every seen block is kept', () => {
    const seen = new SeenBlocks();
    for (const block of chain(4)) for (const node of ['a', 'b']) seen.note(node, block);
    expect(lostBlocks(seen, chain(4), [])).toEqual([]);
  });

  it('names a replaced block and everyone who had it', () => {
    const seen = new SeenBlocks();
    seen.note('a', rival(2));
    seen.note('b', rival(2));
    seen.note('c', chain(3)[2]!);
    expect(lostBlocks(seen, chain(4), [])).toEqual([
      `block 2 ${hashOf(2, 1)} is gone, which a and b had; now it is ${hashOf(2)}`,
    ]);
  });

  it('leaves heights above the chain for a later check', () => {
    const seen = new SeenBlocks();
    seen.note('a', rival(9));
    expect(lostBlocks(seen, chain(4), [])).toEqual([]);
    expect(lostBlocks(seen, chain(10), [])).toHaveLength(1);
  });

  describe('after a reset', () => {
    const seen = new SeenBlocks();
    const branch = [rival(2), { number: 3, hash: hashOf(3, 1), parentHash: hashOf(2, 1) }];
    for (const block of branch) seen.note('a', block);
    const reset = { from: branch[1]!, to: { number: 1, hash: hashOf(1) } };

    it('excuses the blocks that it took back', () => {
      expect(lostBlocks(seen, chain(4), [reset])).toEqual([]);
    });

    it('excuses none at or below the block that it went back to', () => {
      const shallow = { from: branch[1]!, to: branch[0]! };
      expect(lostBlocks(seen, chain(4), [shallow])).toEqual([
        `block 2 ${hashOf(2, 1)} is gone, which a had; now it is ${hashOf(2)}`,
      ]);
    });

    it('excuses no block of another branch', () => {
      const other = new SeenBlocks();
      for (const block of branch) other.note('a', block);
      other.note('b', rival(2, 2));
      expect(lostBlocks(other, chain(4), [reset])).toEqual([
        `block 2 ${hashOf(2, 2)} is gone, which b had; now it is ${hashOf(2)}`,
      ]);
    });
  });
});

describe('unbroughtBlocks', () => {
  it('names what was built without a conductor, and not the genesis block', () => {
    expect(unbroughtBlocks(chain(4), (hash) => hash !== hashOf(2))).toEqual([
      `block 2 ${hashOf(2)} was never brought to a conductor`,
    ]);
    expect(unbroughtBlocks(chain(4), (hash) => hash !== hashOf(0))).toEqual([]);
  });
});

describe('SeenBlocks', () => {
  it('knows the highest block and who has which', () => {
    const seen = new SeenBlocks();
    expect(seen.highest()).toBe(0);
    const block = rival(7, 0);
    seen.note('a', block);
    expect(seen.highest()).toBe(7);
    expect(seen.has('a', block)).toBe(true);
    expect(seen.has('b', block)).toBe(false);
    expect(seen.has('a', rival(7))).toBe(false);
    expect(seen.parentOf(block.hash)).toBe(hashOf(6));
  });
});

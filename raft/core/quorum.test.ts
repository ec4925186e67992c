import { describe, expect, it } from '@jest/globals';
import { hasQuorum, isLost, quorumValue, voterSets } from './quorum.js';
import { configurationOf } from './testing/test-log.js';

const IDS = ['a', 'b', 'c', 'd', 'e'];

const subsets = (ids: readonly string[]): string[][] =>
  Array.from({ length: 2 ** ids.length }, (_, mask) => ids.filter((_id, bit) => mask & (1 << bit)));

/** The definition: more than half of every set, and a set without members never agrees. */
const majority = (set: readonly string[], yes: readonly string[]): boolean =>
  2 * set.filter((id) => yes.includes(id)).length > set.length;

/** All single sets, and all joint pairs of two to four of them. */
const SETS = [
  ...subsets(IDS).map((set) => [set]),
  ...subsets(IDS.slice(0, 4)).flatMap((one) => subsets(IDS.slice(1, 5)).map((other) => [one, other])),
];

describe('quorums', () => {
  it('are majorities of every set, in all cases with up to five voters', () => {
    for (const sets of SETS) {
      for (const yes of subsets(IDS)) {
        const expected = sets.every((set) => majority(set, yes));
        expect(hasQuorum(sets, (id) => yes.includes(id))).toBe(expected);
      }
    }
  });

  it('are lost when the voters that have not refused are not a quorum', () => {
    for (const sets of SETS) {
      for (const refusals of subsets(IDS)) {
        const others = IDS.filter((id) => !refusals.includes(id));
        const expected = !sets.every((set) => majority(set, others));
        expect(isLost(sets, (id) => refusals.includes(id))).toBe(expected);
      }
    }
  });

  it('have reached the greatest value that a majority of every set has reached', () => {
    for (const sets of SETS) {
      for (const values of [
        [5, 5, 5, 5, 5],
        [1, 2, 3, 4, 5],
        [9, 0, 3, 3, 7],
        [0, 0, 8, 8, 8],
      ]) {
        const valueOf = (id: string): number => values[IDS.indexOf(id)] ?? NaN;
        const reached = (value: number): boolean =>
          sets.every((set) =>
            majority(
              set,
              set.filter((id) => valueOf(id) >= value),
            ),
          );
        const expected = Math.max(-Infinity, ...values.filter(reached));
        expect(quorumValue(sets, valueOf)).toBe(expected);
      }
    }
  });

  it('are formed of voters only', () => {
    expect(voterSets(configurationOf(['a', 'b'], ['n']))).toEqual([['a', 'b']]);
  });
});

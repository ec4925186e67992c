import { describe, expect, it } from '@jest/globals';
import { PartialTolerance } from './partial-tolerance.js';

describe('PartialTolerance', () => {
  const taken = (tolerance: PartialTolerance, ...seconds: number[]): boolean[] =>
    seconds.map((second) => tolerance.take(second));

  it('allows the limit in every window, and up to twice of it across a boundary', () => {
    const tolerance = new PartialTolerance(2, 10);
    expect(taken(tolerance, 100, 105, 109)).toEqual([true, true, false]);
    expect(taken(tolerance, 110, 110, 119)).toEqual([true, true, false]);
    expect(taken(tolerance, 128, 129, 130, 131)).toEqual([true, true, true, true]);
  });

  it('forgets no window while time does not leave it', () => {
    const tolerance = new PartialTolerance(1, 3600);
    expect(taken(tolerance, 0, 3599, 3600)).toEqual([true, false, true]);
  });

  it('tolerates nothing when it is not configured', () => {
    expect(taken(new PartialTolerance(0, 0), 1, 2)).toEqual([false, false]);
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { HealthCode } from '../../health/health-report.js';
import { encodeEligibility, fitness, Fitness, fitnessOf } from './eligibility.js';

describe('fitness', () => {
  it.each<[HealthCode, Fitness]>([
    ['ok', Fitness.fit],
    ['unsafe-head-old', Fitness.stale],
    ['too-few-peers', Fitness.impaired],
    ['node-unreachable', Fitness.unfit],
  ])('%s gives %i, and unfit as soon as the node or the right to control it is missing', (code, level) => {
    expect(fitness(code, true, true)).toBe(level);
    expect(fitness(code, false, true)).toBe(Fitness.unfit);
    expect(fitness(code, true, false)).toBe(Fitness.unfit);
  });

  it('is unfit before the first health check', () => {
    expect(fitness(undefined, true, true)).toBe(Fitness.unfit);
  });
});

describe('eligibility', () => {
  const levels = fc.constantFrom<Fitness>(...Object.values(Fitness));
  const lags = fc.integer({ min: -10, max: 3_000_000 });

  it('is 0 for unfit nodes and greater for all others', () => {
    fc.assert(
      fc.property(levels, lags, (level, lag) => {
        if (level === Fitness.unfit) expect(encodeEligibility(level, lag)).toBe(0);
        else expect(encodeEligibility(level, lag)).toBeGreaterThan(0);
      }),
    );
  });

  it('orders by fitness first, then by closeness to the head, and gives the fitness back', () => {
    fc.assert(
      fc.property(levels, lags, levels, lags, (levelA, lagA, levelB, lagB) => {
        const [a, b] = [encodeEligibility(levelA, lagA), encodeEligibility(levelB, lagB)];
        expect(fitnessOf(a)).toBe(levelA);
        if (levelA > levelB) expect(a).toBeGreaterThan(b);
        if (levelA === levelB && levelA !== Fitness.unfit && lagA < lagB && lagB > 2 && lagA < 999_999) {
          expect(a).toBeGreaterThan(b);
        }
      }),
    );
  });

  it('does not prefer a node for being ahead of the committed head, or a block or two closer to it', () => {
    expect(encodeEligibility(Fitness.fit, -5)).toBe(encodeEligibility(Fitness.fit, 0));
    expect(encodeEligibility(Fitness.fit, 2)).toBe(encodeEligibility(Fitness.fit, 0));
    expect(encodeEligibility(Fitness.fit, 3)).toBeLessThan(encodeEligibility(Fitness.fit, 0));
  });
});

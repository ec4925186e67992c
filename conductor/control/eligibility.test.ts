import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { HealthCode, HealthReason } from '../../health/health-report.js';
import { encodeEligibility, fitness, Fitness, fitnessOf, lagOf, Strikes } from './eligibility.js';

describe('fitness', () => {
  const reason = (code: HealthCode, change: Partial<HealthReason> = {}): HealthReason => ({
    check: 'sync-status',
    code,
    severity: 'unhealthy',
    message: '',
    ...change,
  });

  it.each<[string, HealthReason[], Fitness]>([
    ['nothing wrong', [], Fitness.fit],
    ['an old head', [reason('unsafe-head-old')], Fitness.stale],
    ['an old safe head', [reason('safe-head-old')], Fitness.impaired],
    ['too few peers', [reason('too-few-peers')], Fitness.impaired],
    ['too few peers of the execution client', [reason('too-few-execution-peers')], Fitness.impaired],
    ['no builder', [reason('rollup-boost-partial')], Fitness.partial],
    ['no builder, tolerated', [reason('rollup-boost-partial', { severity: 'degraded' })], Fitness.fit],
    ['rollup-boost unhealthy', [reason('rollup-boost-unhealthy')], Fitness.impaired],
    ['rollup-boost gone', [reason('rollup-boost-unreachable', { failures: 2 })], Fitness.impaired],
    ['one lost answer of rollup-boost', [reason('rollup-boost-unreachable', { failures: 1 })], Fitness.fit],
    ['one lost answer of op-node', [reason('node-unreachable', { failures: 1 })], Fitness.fit],
    ['two lost answers of op-node', [reason('node-unreachable', { failures: 2 })], Fitness.unfit],
    ['the worst of several', [reason('rollup-boost-partial'), reason('unsafe-head-old')], Fitness.stale],
  ])(
    '%s gives its level, and unfit as soon as the node or the right to control it is missing',
    (_, reasons, level) => {
      expect(fitness(reasons, true, true, Strikes.toLeave)).toBe(level);
      expect(fitness(reasons, false, true, Strikes.toLeave)).toBe(Fitness.unfit);
      expect(fitness(reasons, true, false, Strikes.toLeave)).toBe(Fitness.unfit);
    },
  );

  it('is lower for a node that is asked to take over than for one that leads, after one bad check', () => {
    const once = [reason('too-few-peers', { failures: 1 })];
    expect(fitness(once, true, true, Strikes.toStayAway)).toBe(Fitness.impaired);
    expect(fitness(once, true, true, Strikes.toLeave)).toBe(Fitness.fit);
  });

  it('is unfit before the first health check', () => {
    expect(fitness(undefined, true, true, Strikes.toLeave)).toBe(Fitness.unfit);
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

  it('orders by fitness first, then by closeness to the head, and contains the fitness', () => {
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

  it('contains the lag, except an ordinary one', () => {
    const lagAfter = (lag: number): number => lagOf(encodeEligibility(Fitness.stale, lag));
    expect([-5, 2, 3, 480, 2_000_000].map(lagAfter)).toEqual([0, 0, 3, 480, 999_999]);
  });

  it('does not prefer a node for being ahead of the committed head, or a block or two closer to it', () => {
    expect(encodeEligibility(Fitness.fit, -5)).toBe(encodeEligibility(Fitness.fit, 0));
    expect(encodeEligibility(Fitness.fit, 2)).toBe(encodeEligibility(Fitness.fit, 0));
    expect(encodeEligibility(Fitness.fit, 3)).toBeLessThan(encodeEligibility(Fitness.fit, 0));
  });
});

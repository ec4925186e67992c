import { describe, expect, it } from '@jest/globals';
import type { CheckName, HealthReason } from './health-report.js';
import { Streaks } from './streaks.js';

const wrong = (check: CheckName, changes: Partial<HealthReason> = {}): HealthReason => ({
  check,
  code: 'too-few-peers',
  severity: 'unhealthy',
  message: '',
  ...changes,
});

describe('Streaks', () => {
  const counted = (streaks: Streaks, round: number, ...reasons: HealthReason[]): (number | undefined)[] =>
    streaks.count(reasons, round).map(({ failures }) => failures);

  it('count checks in a row, separately for each fault', () => {
    const streaks = new Streaks();
    expect(counted(streaks, 1, wrong('peers'))).toEqual([1]);
    expect(counted(streaks, 2, wrong('peers'), wrong('rollup-boost'))).toEqual([2, 1]);
    expect(counted(streaks, 3, wrong('rollup-boost'))).toEqual([2]);
    expect(counted(streaks, 4, wrong('peers'), wrong('rollup-boost', { severity: 'degraded' }))).toEqual([
      1, 1,
    ]);
  });

  it('count a round once, however often it is reported', () => {
    const streaks = new Streaks();
    expect(counted(streaks, 1, wrong('peers'))).toEqual([1]);
    expect(counted(streaks, 1, wrong('peers'))).toEqual([1]);
    expect(counted(streaks, 2, wrong('peers'))).toEqual([2]);
  });

  it('do not touch the age of heads or what is already counted', () => {
    const streaks = new Streaks();
    expect(counted(streaks, 1, wrong('unsafe-head'), wrong('sync-status', { failures: 7 }))).toEqual([
      undefined,
      7,
    ]);
  });
});

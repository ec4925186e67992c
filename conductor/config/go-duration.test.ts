import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatGoDuration, parseGoDuration } from './go-duration.js';

describe('parseGoDuration', () => {
  it.each([
    ['500ms', 500],
    ['1s', 1_000],
    ['2m', 120_000],
    ['1h2m3.5s', 3_723_500],
    ['0', 0],
    ['0s', 0],
    ['+5s', 5_000],
    ['-1.5h', -5_400_000],
    ['.5s', 500],
    ['1.s', 1_000],
    ['4.35s', 4_350],
    ['1.001s', 1_001],
    ['100us', 0.1],
    ['100µs', 0.1],
    ['100μs', 0.1],
    ['1ns', 0.000001],
    ['1s1s', 2_000],
    ['120s', 120_000],
    ['2562047h47m16.854775807s', 2 ** 63 / 1e6],
  ])('reads %s as %d ms', (text, ms) => {
    expect(parseGoDuration(text)).toBe(ms);
  });

  it.each([
    '',
    '1',
    '-',
    's',
    '1 s',
    '1S',
    '1d',
    '1s ',
    ' 1s',
    '1e3s',
    '.s',
    '--1s',
    '1,5s',
    '1ms2',
    'Infinity',
    '2562048h',
  ])('refuses %j', (text) => {
    expect(parseGoDuration(text)).toBeNull();
  });

  it('reads back everything that Go would print', () => {
    const nanoseconds = fc.oneof(
      fc.integer({ min: 0, max: 2_000_000 }), // below 2 ms, where the unit changes
      fc.integer({ min: 0, max: 5_000_000_000 }),
      fc.integer({ min: 0, max: 1_000_000 }).map((ms) => ms * 1_000_000),
      fc.integer({ min: 0, max: 100_000 }).map((seconds) => seconds * 1_000_000_000),
    );
    fc.assert(
      fc.property(nanoseconds, fc.boolean(), (ns, negative) => {
        const ms = (negative ? -ns : ns) / 1e6 || 0;
        expect(parseGoDuration(formatGoDuration(ms))).toBe(ms);
      }),
    );
  });
});

describe('formatGoDuration', () => {
  it.each([
    [0, '0s'],
    [500, '500ms'],
    [1_500, '1.5s'],
    [60_000, '1m0s'],
    [120_000, '2m0s'],
    [3_600_500, '1h0m0.5s'],
    [60_000.0001, '1m0.0000001s'],
    [600_010_000, '166h40m10s'],
    [0.0001, '100ns'],
    [0.25, '250µs'],
    [-1_000, '-1s'],
  ])('prints %d ms as %s', (ms, text) => {
    expect(formatGoDuration(ms)).toBe(text);
  });
});

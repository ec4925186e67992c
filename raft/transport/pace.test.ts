import { describe, expect, it } from '@jest/globals';
import { Pace } from './pace.js';

const KIB = 1024;

/** Two pieces are under way at once, so each waits for the previous one. */
function settle(pace: Pace, bytesPerMs: number, roundTripMs: number): number {
  pace.roundTrip(roundTripMs);
  for (let count = 0; count < 100; count++) {
    pace.answered(pace.pieceBytes, roundTripMs + (2 * pace.pieceBytes) / bytesPerMs);
  }
  return pace.pieceBytes;
}

describe('pieces', () => {
  it.each([
    ['1 Gbit/s next door', 125_000, 0.3, 1024],
    ['1 Gbit/s over an ocean', 125_000, 150, 1024],
    ['8 Mbit/s', 1000, 25, 64],
    ['1 Mbit/s', 125, 25, 16],
  ])('on a line of %s have a size that holds up nothing', (_name, bytesPerMs, roundTripMs, kib) => {
    expect(settle(new Pace(), bytesPerMs, roundTripMs)).toBe(kib * KIB);
  });

  it('become smaller when the line becomes slow, and larger again', () => {
    const pace = new Pace();
    settle(pace, 125_000, 1);
    expect(settle(pace, 1000, 1)).toBe(64 * KIB);
    expect(settle(pace, 125_000, 1)).toBe(1024 * KIB);
  });

  it('say nothing about larger ones when they are small', () => {
    const pace = new Pace();
    for (let count = 0; count < 10; count++) pace.answered(100, 1);
    expect(pace.pieceBytes).toBe(64 * KIB);
    for (let count = 0; count < 10; count++) pace.answered(100, 1000);
    expect(pace.pieceBytes).toBe(64 * KIB);
  });

  it('begin small again after a missing answer', () => {
    const pace = new Pace();
    settle(pace, 125_000, 1);
    pace.failed();
    expect(pace.pieceBytes).toBe(64 * KIB);
  });
});

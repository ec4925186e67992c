import { describe, expect, it } from '@jest/globals';
import { successor } from '../testing/views.js';
import { Fitness } from './eligibility.js';
import { HandBack } from './hand-back.js';

const AFTER_MS = 60_000;
const INTERVAL_MS = 600_000;

const handBack = (afterMs: number | null = AFTER_MS): HandBack =>
  new HandBack({ afterMs, intervalMs: INTERVAL_MS }, 5);

const preferred = successor('p', Fitness.fit, 0, 10);

describe('HandBack', () => {
  it('goes to a member of greater priority that has been fit for long', () => {
    const back = handBack();
    expect(back.dueAt(0, [preferred])).toBeUndefined();
    expect(back.dueAt(AFTER_MS - 1, [preferred])).toBeUndefined();
    expect(back.dueAt(AFTER_MS, [preferred])).toBe('p');
  });

  it.each([
    ['as much preferred as this one', successor('p', Fitness.fit, 0, 5)],
    ['not fit', successor('p', Fitness.partial, 0, 10)],
    ['behind', successor('p', Fitness.fit, 3, 10)],
  ])('does not go to a member that is %s', (_, one) => {
    const back = handBack();
    back.dueAt(0, [one]);
    expect(back.dueAt(AFTER_MS, [one])).toBeUndefined();
  });

  it('starts counting again when the member was briefly unfit or absent', () => {
    for (const interruption of [[successor('p', Fitness.stale, 0, 10)], []]) {
      const back = handBack();
      back.dueAt(0, [preferred]);
      back.dueAt(1000, interruption);
      back.dueAt(2000, [preferred]);
      expect(back.dueAt(AFTER_MS, [preferred])).toBeUndefined();
      expect(back.dueAt(AFTER_MS + 2000, [preferred])).toBe('p');
    }
  });

  it('goes to the most preferred of those that are ready', () => {
    const back = handBack();
    const more = successor('q', Fitness.fit, 0, 20);
    back.dueAt(0, [preferred, more]);
    expect(back.dueAt(AFTER_MS, [preferred, more])).toBe('q');
    expect(back.dueAt(AFTER_MS, [preferred])).toBe('p');
  });

  it('is tried at most once in its interval', () => {
    const back = handBack();
    back.dueAt(0, [preferred]);
    back.tried(AFTER_MS);
    expect(back.dueAt(AFTER_MS + INTERVAL_MS - 1, [preferred])).toBeUndefined();
    expect(back.dueAt(AFTER_MS + INTERVAL_MS, [preferred])).toBe('p');
  });

  it('starts counting again with each leadership', () => {
    const back = handBack();
    back.dueAt(0, [preferred]);
    back.forget();
    back.dueAt(AFTER_MS, [preferred]);
    expect(back.dueAt(AFTER_MS + 1, [preferred])).toBeUndefined();
  });

  it('is off unless it is wanted', () => {
    const back = handBack(null);
    back.dueAt(0, [preferred]);
    expect(back.dueAt(10 * INTERVAL_MS, [preferred])).toBeUndefined();
  });
});

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { WriteWatch } from './write-watch.js';

const LIMIT_MS = 30_000;

describe('WriteWatch', () => {
  let hung: number;
  let watch: WriteWatch;

  beforeEach(() => {
    jest.useFakeTimers();
    hung = 0;
    watch = new WriteWatch(LIMIT_MS, () => (hung += 1));
  });
  afterEach(() => void jest.useRealTimers());

  it('notices a write that does not end, once, and not too early', () => {
    watch.begin();
    jest.advanceTimersByTime(LIMIT_MS - 1);
    expect(hung).toBe(0);
    jest.advanceTimersByTime(1);
    expect(hung).toBe(1);
    jest.advanceTimersByTime(10 * LIMIT_MS);
    expect([hung, jest.getTimerCount()]).toEqual([1, 0]);
  });

  it('starts over with every write', () => {
    for (let write = 0; write < 5; write++) {
      watch.begin();
      jest.advanceTimersByTime(LIMIT_MS - 1);
      watch.end();
    }
    jest.advanceTimersByTime(LIMIT_MS);
    expect(hung).toBe(0);
  });

  it('counts a suspension as one moment, because the disk slept as well', () => {
    watch.begin();
    // The whole time appears as one late timer.
    jest.setSystemTime(Date.now() + 100 * LIMIT_MS);
    jest.advanceTimersToNextTimer();
    expect(hung).toBe(0);
    watch.end();
    expect(jest.getTimerCount()).toBe(0);
  });
});

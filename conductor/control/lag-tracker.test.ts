import { beforeEach, describe, expect, it } from '@jest/globals';
import { LAG_GRACE_MS, LagTracker } from './lag-tracker.js';

let tracker: LagTracker;
beforeEach(() => {
  tracker = new LagTracker();
});

/** Observations as [time, height of the last block with a committed child, local height]. */
const observe = (...observations: [number, number | undefined, number | undefined][]): void => {
  for (const [nowMs, committed, local] of observations) {
    tracker.observe(committed === undefined ? undefined : { number: committed + 1 }, local, nowMs);
  }
};

describe('LagTracker', () => {
  it('is not lagging while it knows nothing', () => {
    expect(tracker.isLagging(1e9)).toBe(false);
    observe([0, 10, undefined], [1e6, undefined, 10]);
    expect(tracker.isLagging(1e9)).toBe(false);
  });

  it('gives a missing block time to arrive', () => {
    observe([0, 11, 10]);
    expect(tracker.isLagging(LAG_GRACE_MS - 1)).toBe(false);
    expect(tracker.isLagging(LAG_GRACE_MS)).toBe(true);
  });

  it('does not consider a node lagging when it is a block behind at every look', () => {
    for (let block = 0; block < 20; block++) {
      observe([block * 500, 101 + block, 100 + block]);
      expect(tracker.isLagging(block * 500)).toBe(false);
    }
  });

  it('notices a node that moves but never reaches the awaited block', () => {
    observe([0, 120, 100], [400, 121, 105], [LAG_GRACE_MS, 122, 110]);
    expect(tracker.isLagging(LAG_GRACE_MS)).toBe(true);
  });

  it('starts over with the next missing block after it caught up', () => {
    observe([0, 11, 10], [700, 12, 11]);
    expect(tracker.isLagging(1000)).toBe(false);
    expect(tracker.isLagging(700 + LAG_GRACE_MS)).toBe(true);
  });

  it('is not lagging when ahead', () => {
    observe([0, 10, 12]);
    expect(tracker.isLagging(1e9)).toBe(false);
  });

  it('does not wait for a block that was replaced by a lower head', () => {
    observe([0, 20, 15], [100, 16, 16]);
    expect(tracker.isLagging(1e9)).toBe(false);
  });

  it('forgets the awaited block while either head is unknown', () => {
    observe([0, 11, 10], [100, 11, undefined], [200, 11, 10]);
    expect(tracker.isLagging(LAG_GRACE_MS)).toBe(false);
    expect(tracker.isLagging(200 + LAG_GRACE_MS)).toBe(true);
  });
});

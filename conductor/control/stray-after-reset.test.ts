import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { pino } from 'pino';
import { StrayAfterReset } from './stray-after-reset.js';

describe('StrayAfterReset', () => {
  let otherBranch: string | undefined;
  let role: string;
  let sequencerActive: boolean;
  let resets: number;
  let stray: StrayAfterReset;

  beforeEach(() => {
    jest.useFakeTimers();
    otherBranch = undefined;
    role = 'follower';
    sequencerActive = false;
    resets = 0;
    stray = new StrayAfterReset({
      raft: { status: () => ({ role }) },
      localNode: {
        get state() {
          return { sequencerActive };
        },
        get branch() {
          return { otherBranch };
        },
      },
      opNode: { resetPipeline: async () => void (resets += 1) },
      logger: pino({ level: 'silent' }),
    });
  });

  afterEach(() => void jest.useRealTimers());

  it('asks op-node once when the node is found on another branch', () => {
    stray.headWasReset();
    jest.advanceTimersByTime(10_000);
    expect(resets).toBe(0);
    otherBranch = 'block 7 is 0xb, committed is 0xa';
    jest.advanceTimersByTime(3000);
    expect(resets).toBe(1);
    jest.advanceTimersByTime(600_000);
    expect(resets).toBe(1);
  });

  it('asks again after another reset', () => {
    otherBranch = 'block 7 is 0xb, committed is 0xa';
    for (const times of [1, 2]) {
      stray.headWasReset();
      jest.advanceTimersByTime(3000);
      expect(resets).toBe(times);
    }
  });

  it('leaves a node alone that goes astray later, or without a reset', () => {
    stray.headWasReset();
    jest.advanceTimersByTime(60_000);
    otherBranch = 'block 7 is 0xb, committed is 0xa';
    jest.advanceTimersByTime(600_000);
    expect(resets).toBe(0);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('leaves a leader alone, and whoever sequences', () => {
    otherBranch = 'block 7 is 0xb, committed is 0xa';
    role = 'leader';
    stray.headWasReset();
    jest.advanceTimersByTime(6000);
    [role, sequencerActive] = ['follower', true];
    jest.advanceTimersByTime(60_000);
    expect(resets).toBe(0);
  });
});

import { describe, expect, it } from '@jest/globals';
import type { Limits } from './options.js';
import { Progress } from './progress.js';

const limits = { inflightRequestsMax: 2, inflightBytesMax: 100 } as Limits;
const request = (requestId: number, lastIndex: number, bytes = 10, movedAtMs = 0) => ({
  requestId,
  prevIndex: 9,
  lastIndex,
  bytes,
  movedAtMs,
});
const replicating = (): Progress => {
  const progress = new Progress(10, 0, 'disk');
  progress.acknowledged(9, 0);
  return progress;
};

describe('the progress of a follower', () => {
  it('begins with a single probe', () => {
    const progress = new Progress(10, 0, 'disk');
    expect(progress.canSend(limits, 0)).toBe(true);
    progress.sent(request(1, 9));
    expect(progress.canSend(limits, 0)).toBe(false);
    expect(progress).toMatchObject({ state: 'probe', next: 10, match: 0 });
  });

  it('replicates after the first acknowledgement, ahead of the answers', () => {
    const progress = replicating();
    progress.sent(request(1, 12));
    expect(progress).toMatchObject({ state: 'replicate', match: 9, next: 13 });
  });

  it('is limited by requests and by bytes', () => {
    const few = replicating();
    few.sent(request(1, 10));
    few.sent(request(2, 11));
    expect(few.canSend(limits, 0)).toBe(false);
    const big = replicating();
    big.sent(request(1, 10, 100));
    expect(big.canSend(limits, 0)).toBe(false);
    big.settle(1);
    expect(big.canSend(limits, 0)).toBe(true);
  });

  it('never takes back what was acknowledged', () => {
    const progress = replicating();
    progress.acknowledged(4, 0);
    progress.probeFrom(3);
    expect(progress).toMatchObject({ state: 'probe', match: 9, next: 10 });
  });

  it('forgets requests in flight when it searches for the common point again', () => {
    const progress = replicating();
    progress.sent(request(1, 12));
    progress.probeFrom(10);
    expect(progress.settle(1)).toBeUndefined();
    expect(progress.canSend(limits, 0)).toBe(true);
  });

  it('gives up requests that are too old', () => {
    const progress = replicating();
    progress.sent(request(1, 12, 10, 100));
    expect(progress.expire(99)).toBe(false);
    expect(progress.expire(100)).toBe(true);
    expect(progress).toMatchObject({ state: 'probe', next: 10, inflightRequests: 0 });
  });

  it('rests after a loss until an answer or a timeout', () => {
    const progress = replicating();
    progress.pausedUntilMs = 50;
    expect(progress.canSend(limits, 49)).toBe(false);
    expect(progress.canSend(limits, 50)).toBe(true);
    progress.pausedUntilMs = 500;
    progress.acknowledged(9, 0);
    expect(progress.canSend(limits, 50)).toBe(true);
  });

  it('counts less than before only in answers to later requests: earlier ones were overtaken', () => {
    const progress = replicating();
    progress.acknowledged(12, 5);
    progress.acknowledged(12, 8);
    expect(progress.isReversion(5, 11)).toBe(false);
    expect(progress.isReversion(6, 11)).toBe(true);
    expect(progress.isReversion(6, 12)).toBe(false);
  });

  it('ends when the disk has lost what was acknowledged', () => {
    const progress = replicating();
    progress.revert();
    expect(progress).toMatchObject({
      state: 'reverted',
      match: 0,
      acknowledgedIndex: 9,
      inflightRequests: 0,
    });
    expect(progress.canSend(limits, 1e9)).toBe(false);
  });
});

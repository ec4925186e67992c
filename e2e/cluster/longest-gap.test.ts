import { describe, expect, it } from '@jest/globals';
import { longestGap } from './longest-gap.js';

describe('longestGap', () => {
  it('is the whole time if nothing happened in it', () => {
    expect(longestGap([], 100, 400)).toEqual({ ms: 300, sinceMs: 100 });
    expect(longestGap([50, 500], 100, 400)).toEqual({ ms: 300, sinceMs: 100 });
  });

  it('lies between two neighbours', () => {
    expect(longestGap([150, 350, 390], 100, 400)).toEqual({ ms: 200, sinceMs: 150 });
  });

  it('may last until now', () => {
    expect(longestGap([150, 200], 100, 400)).toEqual({ ms: 200, sinceMs: 200 });
  });
});

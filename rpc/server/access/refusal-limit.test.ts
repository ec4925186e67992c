import { describe, expect, it } from '@jest/globals';
import { RefusalLimit } from './refusal-limit.js';

describe('RefusalLimit', () => {
  const refuse = (limit: RefusalLimit, address: string, times: number, nowMs: number): boolean[] =>
    Array.from({ length: times }, () => limit.noteRefusal(address, nowMs));

  it('reports the 21st refusal of one address in ten seconds', () => {
    const limit = new RefusalLimit();

    expect(refuse(limit, 'a', 20, 0)).not.toContain(true);
    expect(limit.noteRefusal('b', 9_999)).toBe(false);
    expect(limit.noteRefusal('a', 9_999)).toBe(true);
    expect(limit.noteRefusal('a', 10_000)).toBe(false);
  });

  it('forgets the address whose last refusal is the oldest', () => {
    const limit = new RefusalLimit();
    refuse(limit, 'a', 20, 0);
    refuse(limit, 'b', 20, 0);
    limit.noteRefusal('a', 1);

    for (let n = 0; n < 4095; n++) limit.noteRefusal(`other ${n}`, 2);

    expect(limit.size).toBe(4096);
    expect(limit.noteRefusal('a', 3)).toBe(true);
    expect(limit.noteRefusal('b', 3)).toBe(false);
  });
});

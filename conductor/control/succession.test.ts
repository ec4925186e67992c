import { describe, expect, it } from '@jest/globals';
import { aroundTheRing } from './succession.js';

describe('aroundTheRing', () => {
  const ring = (self: string, ...ids: string[]): string[] =>
    aroundTheRing(
      self,
      ids.map((id) => ({ id })),
    ).map(({ id }) => id);

  it('RoundRobin: begins after oneself, in the order of bytes', () => {
    expect(ring('b', 'd', 'a', 'c')).toEqual(['c', 'd', 'a']);
    expect(ring('node-10', 'node-9', 'node-2', 'node-1')).toEqual(['node-2', 'node-9', 'node-1']);
    expect(ring('a', 'B', 'b')).toEqual(['b', 'B']);
  });

  it('RoundRobin: wraps around', () => {
    expect(ring('d', 'a', 'c', 'b')).toEqual(['a', 'b', 'c']);
  });

  it('is empty for one who is alone', () => {
    expect(ring('a')).toEqual([]);
  });

  it('visits everybody, one after the other', () => {
    const all = ['c', 'a', 'b'];
    const visited: string[] = [];
    for (let at = 'a', i = 0; i < 6; i++) {
      at = ring(at, ...all.filter((id) => id !== at))[0]!;
      visited.push(at);
    }
    expect(visited.join('')).toBe('bcabca');
  });
});

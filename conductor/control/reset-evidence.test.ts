import { describe, expect, it } from '@jest/globals';
import { hashOf, refOf } from '../testing/chain.js';
import { resetEvidence } from './reset-evidence.js';
import type { VoterReport } from './voter-report.js';

const block = (number: number, branch = 'a') => ({ number, hash: hashOf(number, branch) });

/** A voter whose client left after this block, or is still there, or that does not answer. */
function voter(id: string, left: number | 'stays' | 'silent', branch = 'a'): VoterReport {
  if (left === 'silent') return { id, state: null };
  const leftAt = left === 'stays' ? null : block(left, branch);
  return { id, state: { head: block(100), leftAt, canLead: true } };
}

const find = (...voters: VoterReport[]) =>
  resetEvidence({
    own: 'a',
    voters,
    head: refOf(100),
    hashAt: (number) => (number >= 50 ? hashOf(number) : undefined),
  });

describe('resetEvidence', () => {
  it.each<[string, VoterReport[], number, string]>([
    ['all left at one height', [voter('a', 95), voter('b', 95), voter('c', 95)], 95, 'a, b'],
    ['a majority left, one stays', [voter('a', 95), voter('b', 95), voter('c', 'stays')], 95, 'a, b'],
    ['a majority left, one is silent', [voter('a', 95), voter('b', 'silent'), voter('c', 95)], 95, 'a, c'],
    ['the lowest height that the majority has in common', [voter('a', 95), voter('b', 93)], 93, 'a, b'],
    ['own client kept less than the others', [voter('a', 91), voter('b', 95), voter('c', 97)], 91, 'a, c'],
    [
      'no more is given up than has to be',
      [voter('a', 95), voter('b', 60), voter('c', 97), voter('d', 94), voter('e', 'stays')],
      94,
      'a, c, d',
    ],
    ['a cluster of one', [voter('a', 95)], 95, 'a'],
    ['below what is retained here', [voter('a', 20), voter('b', 20), voter('c', 'silent')], 20, 'a, b'],
  ])('%s: a reset to that block', (_, voters, to, who) => {
    expect(find(...voters)).toEqual({
      request: { from: block(100), to: block(to), evidence: 'clients-left', who },
    });
  });

  it.each<[string, VoterReport[], string]>([
    ['the own client alone', [voter('a', 95), voter('b', 'stays'), voter('c', 'stays')], 'only 1 of 3'],
    ['one of two', [voter('a', 95), voter('b', 'silent')], 'only 1 of 2'],
    ['two of four', [voter('a', 95), voter('b', 95), voter('c', 'stays'), voter('d', 'silent')], '2 of 4'],
    ['all but the own client', [voter('a', 'stays'), voter('b', 95), voter('c', 95)], 'own client'],
    ['an own state that is not known', [voter('a', 'silent'), voter('b', 95), voter('c', 95)], 'own client'],
    ['no client at all', [voter('a', 'stays'), voter('b', 'stays')], 'own client'],
    ['a client that stands at the head', [voter('a', 100), voter('b', 100)], 'own client'],
    ['different blocks of that height', [voter('a', 20), voter('b', 20, 'b')], 'different blocks 20'],
    [
      'a block that is not the committed one',
      [voter('a', 95, 'b'), voter('b', 95, 'b')],
      'different blocks 95',
    ],
  ])('%s is none', (_, voters, reason) => {
    expect(find(...voters)).toEqual({ refusal: expect.stringContaining(reason) });
  });

  it('names who left, and where', () => {
    expect(find(voter('a', 95), voter('b', 'stays'), voter('c', 'stays'))).toEqual({
      refusal: `only 1 of 3 voters' clients have left the committed chain: a after block 95 (${hashOf(95)})`,
    });
  });
});

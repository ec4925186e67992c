import { describe, expect, it } from '@jest/globals';
import { hashOf, refOf } from '../testing/chain.js';
import { resetEvidence, type Evidence } from './reset-evidence.js';
import type { VoterReport } from './voter-report.js';

const block = (number: number, branch = 'a') => ({ number, hash: hashOf(number, branch) });

/** A voter whose client left after this block, or is still there, or that does not answer. */
function voter(id: string, left: number | 'stays' | 'silent', branch = 'a'): VoterReport {
  if (left === 'silent') return { id, state: null };
  const leftAt = left === 'stays' ? null : block(left, branch);
  return { id, state: { head: block(100), leftAt, canLead: true, sequences: false, witness: false } };
}

function find(voters: readonly VoterReport[], reasons: Partial<Evidence> = {}) {
  return resetEvidence({
    own: 'a',
    voters,
    head: refOf(100),
    hashAt: (number) => (number >= 50 ? hashOf(number) : undefined),
    hasReason: false,
    isElsewhere: false,
    othersMayFollow: false,
    ...reasons,
  });
}

describe('resetEvidence', () => {
  it.each<[string, VoterReport[], number, string]>([
    ['all left at one height', [voter('a', 95), voter('b', 95), voter('c', 95)], 95, 'a, b, c'],
    ['a majority left, one stays', [voter('a', 95), voter('b', 95), voter('c', 'stays')], 95, 'a, b'],
    ['a majority left, one is silent', [voter('a', 95), voter('b', 'silent'), voter('c', 95)], 95, 'a, c'],
    ['one left more than the majority', [voter('a', 95), voter('b', 60), voter('c', 'stays')], 95, 'a, b'],
    [
      'no more is given up than has to be',
      [voter('a', 94), voter('b', 60), voter('c', 97), voter('d', 94), voter('e', 'stays')],
      94,
      'a, b, d',
    ],
    ['below what is retained here', [voter('a', 20), voter('b', 20), voter('c', 'silent')], 20, 'a, b'],
  ])('%s: a reset to that block', (_, voters, to, who) => {
    expect(find(voters)).toEqual({
      type: 'reset',
      request: { from: block(100), to: block(to), evidence: 'clients-left', who },
    });
  });

  it.each<[string, VoterReport[], string]>([
    ['the local client alone', [voter('a', 95), voter('b', 'stays'), voter('c', 'stays')], 'only 1 of 3'],
    ['one of two', [voter('a', 95), voter('b', 'silent')], 'only 1 of 2'],
    ['two of four', [voter('a', 95), voter('b', 95), voter('c', 'stays'), voter('d', 'silent')], '2 of 4'],
    ['all but the local client', [voter('a', 'stays'), voter('b', 95), voter('c', 95)], 'local client'],
    [
      'an own state that is not known',
      [voter('a', 'silent'), voter('b', 95), voter('c', 95)],
      'local client',
    ],
    ['no client at all', [voter('a', 'stays'), voter('b', 'stays')], 'local client'],
    ['a client that stands at the head', [voter('a', 100), voter('b', 100)], 'local client'],
    ['different blocks of that height', [voter('a', 20), voter('b', 20, 'b')], 'different blocks 20'],
    [
      'a lone voter without a reason',
      [voter('a', 95)],
      'L1 was not seen to replace blocks, and the client has not left repeatedly',
    ],
    [
      'a block that is not the committed one',
      [voter('a', 95, 'b'), voter('b', 95, 'b')],
      'different blocks 95',
    ],
  ])('%s is none', (_, voters, reason) => {
    expect(find(voters)).toEqual({ type: 'none', reason: expect.stringContaining(reason) });
  });

  it('of a lone voter needs a reason of its own', () => {
    expect(find([voter('a', 95)], { hasReason: true })).toMatchObject({
      type: 'reset',
      request: { to: { number: 95 } },
    });
  });

  it('is waited for while L1 replaces blocks and the others have not left yet', () => {
    const voters = [voter('a', 95), voter('b', 'stays'), voter('c', 'stays')];
    expect(find(voters, { othersMayFollow: true })).toMatchObject({ type: 'wait' });
  });

  describe('of a majority that kept other blocks than the local client', () => {
    it('is left to a member that has left at the same block as the majority', () => {
      const voters = [voter('a', 97), voter('b', 95), voter('c', 93), voter('d', 'stays'), voter('e', 94)];
      expect(find(voters)).toMatchObject({ type: 'elsewhere', to: 'b' });
    });

    it('is waited for when that member cannot lead, because the local client would bring back the lost blocks', () => {
      const away = {
        id: 'b',
        state: { head: null, leftAt: block(95), canLead: false, sequences: false, witness: false },
      };
      const voters = [voter('a', 97), away, voter('c', 93), voter('d', 'stays'), voter('e', 94)];
      expect(find(voters)).toMatchObject({ type: 'wait' });
    });

    it('is enough when the local client only lacks blocks that can be posted to it', () => {
      const away = {
        id: 'b',
        state: { head: null, leftAt: block(95), canLead: false, sequences: false, witness: false },
      };
      const voters = [voter('a', 93), away, voter('c', 'stays')];
      expect(find(voters)).toMatchObject({
        type: 'reset',
        request: { to: { number: 95 }, who: 'a, b' },
      });
      expect(find(voters, { isElsewhere: true })).toMatchObject({ type: 'wait' });
    });

    it('is also left to another member when the local client has other blocks there', () => {
      const voters = [voter('a', 93), voter('b', 95), voter('c', 'stays')];
      expect(find(voters, { isElsewhere: true })).toMatchObject({ type: 'elsewhere', to: 'b' });
    });
  });

  it('names the voters that left, and the block', () => {
    expect(find([voter('a', 95), voter('b', 'stays'), voter('c', 'stays')])).toEqual({
      type: 'none',
      reason: `only 1 of 3 voters' clients have left the committed chain: a after block 95 (${hashOf(95)})`,
    });
  });
});

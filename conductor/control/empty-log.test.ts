import { describe, expect, it } from '@jest/globals';
import { hashOf } from '../testing/chain.js';
import { decideEmptyLog } from './empty-log.js';
import type { VoterReport } from './voter-report.js';

const block = (number: number, branch = 'a') => ({ number, hash: hashOf(number, branch) });

/** A voter with this head, null if its client does not answer; `silent` says nothing. */
function voter(
  id: string,
  head: number | null | 'silent',
  changes: { branch?: string; canLead?: boolean; sequences?: boolean } = {},
): VoterReport {
  const { branch = 'a', canLead = true, sequences = false } = changes;
  if (head === 'silent') return { id, state: null };
  const seen = head === null ? null : block(head, branch);
  return { id, state: { head: seen, leftAt: null, canLead, sequences, witness: false } };
}

const witness = (id: string): VoterReport => ({
  id,
  state: { head: null, leftAt: null, canLead: false, sequences: false, witness: true },
});

const decide = (own: number, ...others: VoterReport[]) =>
  decideEmptyLog({ own: 'a', head: block(own), voters: [voter('a', own), ...others] });

describe('decideEmptyLog', () => {
  it.each<[string, number, VoterReport[]]>([
    ['a cluster of one', 9, []],
    ['a new chain: all at the same block', 0, [voter('b', 0), voter('c', 0)]],
    ['the highest of all', 13, [voter('b', 12), voter('c', 9)]],
    ['the highest of a majority', 13, [voter('b', 13), voter('c', 'silent')]],
    ['the higher of two, beside a witness', 13, [voter('b', 12), witness('w')]],
    ['higher than one that cannot lead', 13, [voter('b', 12, { canLead: false }), voter('c', null)]],
    ['a lower head of another branch', 13, [voter('b', 12, { branch: 'b' }), voter('c', 13)]],
  ])('starts on its own head: %s', (_, own, others) => {
    expect(decide(own, ...others)).toEqual({ type: 'start' });
  });

  it.each<[string, VoterReport[], string]>([
    ['the only one with a higher head', [voter('b', 9), voter('c', 13)], 'c'],
    ['the other of two, never to the witness', [witness('a-w'), voter('c', 13)], 'c'],
    ['the first of several', [voter('b', 13), voter('c', 13)], 'b'],
    ['the highest one', [voter('b', 10), voter('c', 13)], 'c'],
    ['the one that can', [voter('b', 13, { canLead: false }), voter('c', 13)], 'c'],
    ['also when one is silent', [voter('b', 10), voter('c', 'silent')], 'b'],
  ])('transfers leadership to %s', (_, others, to) => {
    expect(decide(9, ...others)).toEqual({
      type: 'hand-over',
      to,
      reason: expect.stringContaining('this node only 9'),
    });
  });

  it.each<[string, number, VoterReport[], string]>([
    ['which has the same head', 13, [voter('b', 13), voter('c', 13, { sequences: true })], 'c'],
    ['of several with a higher head', 9, [voter('b', 13), voter('c', 13, { sequences: true })], 'c'],
  ])('transfers leadership to the voter whose sequencer runs: %s', (_, own, others, to) => {
    expect(decide(own, ...others)).toMatchObject({ type: 'hand-over', to });
  });

  it.each<[string, VoterReport[], string, string]>([
    [
      'another sequencer runs, and its conductor is paused',
      [voter('b', 9, { sequences: true, canLead: false }), voter('c', 9)],
      'sequencer-runs',
      'the sequencer of b runs',
    ],
    [
      'another sequencer runs on a lower head, until its conductor has stopped it',
      [voter('b', 8, { sequences: true }), voter('c', 9)],
      'sequencer-runs',
      'the sequencer of b runs',
    ],
    [
      'no majority',
      [voter('b', 'silent'), voter('c', 'silent')],
      'heads-unknown',
      'heads of b, c are not known',
    ],
    [
      'no majority, although one has more',
      [voter('b', 13), voter('c', 'silent'), voter('d', 'silent')],
      'heads-unknown',
      'c, d',
    ],
    [
      'a witness has no head that could count',
      [voter('b', 'silent'), witness('w')],
      'heads-unknown',
      'the heads of b, w (a witness, it has none) are not known',
    ],
    ['clients that do not answer', [voter('b', null), voter('c', 'silent')], 'heads-unknown', 'b, c'],
    [
      'another block of the height',
      [voter('b', 9, { branch: 'b' }), voter('c', 9)],
      'heads-differ',
      hashOf(9, 'b'),
    ],
    [
      'a higher one that cannot lead',
      [voter('b', 13, { canLead: false }), voter('c', 9)],
      'higher-head',
      'b has block 13',
    ],
  ])('waits: %s', (_, others, code, reason) => {
    expect(decide(9, ...others)).toEqual({ type: 'wait', code, reason: expect.stringContaining(reason) });
  });
});

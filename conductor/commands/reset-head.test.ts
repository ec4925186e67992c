import { hostname } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ConductorStatus } from '../../rpc/server/conductor-status.js';
import { hashOf, refOf } from '../testing/chain.js';
import { CommandLine } from './testing/command-line.js';

let t: CommandLine;

const at = (number: number, branch = 'a', node = refOf(number, branch)): Partial<ConductorStatus> => ({
  head: refOf(number, branch),
  node: { ...t.cluster.get('a').status.node, head: node },
});
const TO = `97:${hashOf(97)}`;

beforeEach(async () => {
  t = await CommandLine.start();
  t.cluster.change('a', at(100));
  t.cluster.change('b', at(100, 'a', refOf(97)));
  t.cluster.change('c', at(100, 'a', refOf(99, 'b')));
});
afterEach(() => t.stop());

describe('reset-head', () => {
  it('with --dry-run shows what would be given up, and changes nothing', async () => {
    await t.cluster.kill('c');
    t.cluster.change('b', at(100, 'a', refOf(97, 'b')));
    expect(await t.baton('reset-head', '--to', TO, '--reason', 'L1 reorg', '--dry-run')).toBe(0);
    expect(t.printed).toEqual([
      `from  block 100 ${hashOf(100)}`,
      `to    block 97 ${hashOf(97)}`,
      '3 committed blocks would be given up. Their sequencers were told that they are committed, and may have published them.',
      `a: its execution client is at block 100 ${hashOf(100)}, the present committed head`,
      `b: its execution client is at block 97 ${hashOf(97, 'b')}, another block than the new head`,
      'c: no answer: connect ECONNREFUSED',
      'The number of voters stays 3; the failure tolerance stays 0.',
      'Reason: L1 reorg',
      'Nothing was changed.',
    ]);
    expect(t.cluster.calls).toEqual([]);
  });

  it('with --yes asks the leader, with the head that was seen, the reason and the caller', async () => {
    t.cluster.onCall = () => (t.cluster.change('a', at(97)), { result: null });
    expect(await t.baton('reset-head', '--to', TO, '--reason', 'L1 reorg', '--yes')).toBe(0);
    const who = `somebody@${hostname()}: L1 reorg`;
    expect(t.cluster.calls).toEqual([
      `a conductor_resetHead ${JSON.stringify([97, hashOf(97), who, hashOf(100)])}`,
    ]);
    expect(t.printed).toContain(`b: its execution client is at block 97 ${hashOf(97)}, the new head`);
    expect(t.printed).toContain(
      `c: its execution client is at block 99 ${hashOf(99, 'b')}, 2 above the new head`,
    );
    expect(t.printed.at(-1)).toMatch(
      new RegExp(`^the committed head is block 97 ${hashOf(97)}, it was block 100 ${hashOf(100)} \\(`),
    );
  });

  it('trusts what it sees if the answer is lost, and never resets twice', async () => {
    t.cluster.onCall = () => (t.cluster.change('a', at(97)), 'reset');
    expect(await t.baton('reset-head', '--to', TO, '--reason', 'x', '--yes')).toBe(0);
    expect(t.cluster.calls).toHaveLength(1);
    expect(await t.baton('reset-head', '--to', TO, '--reason', 'x', '--yes')).toBe(0);
    expect(t.printed.at(-1)).toContain(`block 97 ${hashOf(97)} is the committed head already`);
    expect(t.cluster.calls).toHaveLength(1);
  });

  it('passes on the reason of a refusal, and does not repeat the call', async () => {
    t.cluster.onCall = () => ({ error: { code: -32000, message: 'the committed head is another' } });
    expect(await t.baton('reset-head', '--to', TO, '--reason', 'x', '--yes')).toBe(1);
    expect(t.failure()).toEqual([expect.stringContaining('the committed head is another'), 'refused']);
    expect(t.cluster.calls).toHaveLength(1);
  });

  it.each([
    ['a block without a height', hashOf(97)],
    ['a block without a hash', '97'],
    ['half a hash', `97:${hashOf(97).slice(0, 40)}`],
    ['a block above the head', `101:${hashOf(101)}`],
    ['another block at the height of the head', `100:${hashOf(100, 'b')}`],
  ])('refuses %s', async (_, to) => {
    expect(await t.baton('reset-head', '--to', to, '--reason', 'x', '--yes')).toBe(3);
    expect(t.cluster.calls).toEqual([]);
  });

  it('needs a reason, and a leader', async () => {
    expect(await t.baton('reset-head', '--to', TO, '--yes')).toBe(3);
    t.cluster.change('a', { role: 'follower' });
    expect(await t.baton('reset-head', '--to', TO, '--reason', 'x', '--yes', '--deadline', '200ms')).toBe(1);
    expect(t.cluster.calls).toEqual([]);
  });
});

import { hostname } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { runCommand } from './index.js';
import { addr, CommandLine } from './testing/command-line.js';

let t: CommandLine;

beforeEach(async () => {
  t = await CommandLine.start();
});
afterEach(() => t.stop());

/** Every command that changes something, in a form that nothing prevents. */
const CHANGES: string[][] = [
  ['transfer', 'b'],
  ['pause'],
  ['add', 'd', '10.0.0.4:50050'],
  ['remove', 'c', '--force'],
  ['demote', 'c', '--force'],
  ['replace', 'c', 'd', '10.0.0.4:50050'],
  ['timing', 'lan-fast'],
  ['override', 'b', '--force'],
];
const TOLERANCE = /^The number of voters .*; the failure tolerance (stays|goes from) /;

describe.each(CHANGES.map((argv) => [argv.join(' '), argv] as const))('7: %s', (_, argv) => {
  it('shows what it would do with --dry-run, and calls no member', async () => {
    expect(await t.baton(...argv, '--dry-run')).toBe(0);
    expect(t.printed.at(-2)).toMatch(TOLERANCE);
    expect(t.printed.at(-1)).toBe('Nothing was changed.');
    expect([t.asked, t.cluster.calls]).toEqual([[], []]);
  });

  it('changes nothing if the answer is no', async () => {
    t.answer = false;
    expect(await t.baton(...argv)).toBe(3);
    expect(t.printed.at(-1)).toMatch(TOLERANCE);
    expect(t.asked).toEqual(['Do it? [y/N] ']);
    expect(t.failure()).toEqual(['error: nothing was changed', 'unconfirmed']);
    expect(t.cluster.calls).toEqual([]);
  });

  it('does not wait if there is no terminal', async () => {
    t.answer = null;
    expect(await t.baton(...argv)).toBe(3);
    expect(t.failure()).toEqual([
      'error: nothing was changed: there is no terminal to ask on',
      'unconfirmed',
    ]);
    expect(t.cluster.calls).toEqual([]);
  });

  it('does it with --yes', async () => {
    t.answer = null;
    t.cluster.onCall = () => ({ error: { code: -32000, message: 'no' } });
    expect(await t.baton(...argv, '--yes')).toBe(1);
    expect(t.cluster.calls).not.toEqual([]);
  });
});

it('resume asks too, unless nobody is paused', async () => {
  t.answer = false;
  expect(await t.baton('resume')).toBe(0);
  t.cluster.change('b', { paused: true });
  expect(await t.baton('resume')).toBe(3);
  expect(t.asked).toHaveLength(1);
});

it('timing does not ask if it only shows', async () => {
  expect(await t.baton('timing')).toBe(0);
  expect(t.asked).toEqual([]);
});

it('shows the reason, and sends it with the change only', async () => {
  t.cluster.onCall = () => ({ error: { code: -32000, message: 'no' } });
  const argv = ['pause', 'a', '--reason', 'Störung: L1', '--yes', '--rpc', t.cluster.url('a')];
  await runCommand(argv, t.io({ USER: 'alice' }));
  expect(t.printed).toContain('Reason: Störung: L1');
  const sent = t.cluster.get('a').server.requests.map(({ method, said }) => ({ method, ...said }));
  const owner = `alice@${hostname()}`;
  expect(sent).toContainEqual({ method: 'conductor_beginPause', owner, reason: 'Störung: L1' });
  expect(sent.filter((request) => 'owner' in request || 'reason' in request)).toHaveLength(1);
});

describe('failure tolerance', () => {
  it.each(['remove', 'demote'])(
    '%s of a voter that keeps up needs --force if none may fail then',
    async (verb) => {
      expect(await t.baton(verb, 'c')).toBe(1);
      expect(t.failure()).toEqual([
        'error: without c, 2 of 2 voters would keep up: the next failure of one would stop the chain',
        'would-lose-tolerance',
      ]);
      expect(t.cluster.calls).toEqual([]);
      expect(await t.baton(verb, 'c', '--force', '--dry-run')).toBe(0);
      expect(t.printed).toContain(
        'The number of voters goes from 3 to 2; the failure tolerance goes from 1 to 0.',
      );
    },
  );

  it('removes a voter that is lost anyway without --force', async () => {
    await t.cluster.kill('c');
    expect(await t.baton('remove', 'c', '--dry-run')).toBe(0);
    expect(t.printed).toContain('The number of voters goes from 3 to 2; the failure tolerance stays 0.');
  });

  it('removes one of four without --force', async () => {
    await t.cluster.add('d', 0);
    t.cluster.lead('a');
    expect(await t.baton('remove', 'd', '--dry-run')).toBe(0);
    expect(t.printed).toContain('The number of voters goes from 4 to 3; the failure tolerance stays 1.');
  });

  it('grows a cluster from one to two voters without --force', async () => {
    t.cluster.get('b').suffrage = null;
    t.cluster.get('c').suffrage = null;
    expect(await t.baton('add', 'b', addr('b'), '--dry-run')).toBe(0);
    expect(t.printed).toContain('The number of voters goes from 1 to 2; the failure tolerance stays 0.');
  });
});

describe('without a quorum', () => {
  it.each([
    'remove c',
    'remove c --force',
    'demote c',
    'add d 10.0.0.4:50050',
    'replace c d 10.0.0.4:50050',
    'transfer',
    'timing lan-fast',
  ])('9: %s names recover and its danger at its deadline', async (line) => {
    await t.cluster.kill('b');
    await t.cluster.kill('c');
    t.cluster.change('a', { role: 'follower' });
    expect(await t.baton(...line.split(' '), '--yes', '--deadline', '200ms')).toBe(1);
    expect(t.failure()).toEqual([
      'error: after 200ms: no leader: 1 of 3 voters answer, 2 are needed',
      'quorum-lost',
    ]);
    expect(t.noted.at(-1)).toMatch(/baton recover DIRECTORY; .* two clusters, which build two chains/);
    expect(t.cluster.calls).toEqual([]);
  });
});

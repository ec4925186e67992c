import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { runCommand } from './index.js';
import { addr, CommandLine } from './testing/command-line.js';
import { witnessStatus } from './testing/fake-cluster.js';

let t: CommandLine;

beforeEach(async () => {
  t = await CommandLine.start();
});
afterEach(() => t.stop());

describe('transfer', () => {
  it('waits until the target leads and sequences, and nobody else does', async () => {
    t.cluster.onCall = () => {
      const asked = t.cluster.views;
      t.cluster.onView = (views) => {
        if (views === asked + 2) {
          t.cluster.lead('b');
          const { node } = t.cluster.get('b').status;
          t.cluster.change('b', { node: { ...node, sequencerActive: false } });
        }
        if (views === asked + 4) t.cluster.lead('b');
      };
      return { result: null };
    };
    expect(await t.baton('transfer', 'b')).toBe(0);
    expect(t.cluster.calls).toEqual([`a conductor_transferLeaderToServer ["b","${addr('b')}"]`]);
    expect(t.printed.at(-1)).toMatch(/^b leads in term 6, it was a; its sequencer is active at block 100 \(/);
    expect(t.cluster.views).toBeGreaterThan(4);
  });

  it('lets the leader choose if there is no id', async () => {
    t.cluster.onCall = () => (t.cluster.lead('c'), { result: null });
    expect(await t.baton('transfer')).toBe(0);
    expect(t.cluster.calls).toEqual(['a conductor_transferLeader []']);
    expect(t.printed.at(-1)).toContain('c leads');
  });

  it('--away acts only if the leader itself is asked', async () => {
    t.cluster.onCall = () => (t.cluster.lead('c'), { result: null });
    expect(await runCommand(['transfer', '--away', '--rpc', t.cluster.url('b')], t.io())).toBe(0);
    expect(t.printed.at(-1)).toMatch(/^nothing to transfer: a leads/);
    expect(t.cluster.calls).toEqual([]);
    expect(await t.baton('transfer', '--away')).toBe(0);
    expect(t.cluster.calls).toEqual(['a conductor_transferLeader []']);
    t.cluster.change('c', { role: 'follower' });
    expect(await t.baton('transfer', '--away')).toBe(0);
    expect(t.printed.at(-1)).toMatch(/^nothing to transfer: nobody leads/);
  });

  it('changes nothing if the target is the leader itself', async () => {
    expect(await t.baton('transfer', 'a')).toBe(0);
    expect(t.cluster.calls).toEqual([]);
    expect(t.printed.at(-1)).toContain('a leads in term 4 already');
  });

  it('trusts what it sees if the answer is lost, late, or wrong', async () => {
    t.cluster.onCall = () => (t.cluster.lead('b'), 'reset');
    expect(await t.baton('transfer', 'b')).toBe(0);
    t.cluster.onCall = () => (
      t.cluster.lead('c'),
      { error: { code: -32000, message: 'leadership transfer timeout' } }
    );
    expect(await t.baton('transfer', 'c')).toBe(0);
    expect(t.cluster.calls).toHaveLength(2);
  });

  it('follows leadership that somebody else has moved meanwhile', async () => {
    t.cluster.onCall = (id) => {
      t.cluster.lead(id === 'a' ? 'c' : 'b');
      return id === 'a' ? { error: { code: -32000, message: 'node is not the leader' } } : { result: null };
    };
    expect(await t.baton('transfer', 'b')).toBe(0);
    expect(t.cluster.calls.map((call) => call[0])).toEqual(['a', 'c']);
  });

  it.each<[string, () => unknown, string]>([
    ['does not answer', () => t.cluster.kill('b'), 'b does not answer: connect ECONNREFUSED'],
    ['is paused', () => t.cluster.change('b', { paused: true }), 'b is paused and would start no sequencer'],
    [
      'is a witness',
      () => t.cluster.change('b', witnessStatus('b')),
      'b is a witness: it has no sequencer, and would hand leadership back',
    ],
    ['has no vote', () => (t.cluster.get('b').suffrage = 1), 'b is no voter'],
    [
      'is unhealthy',
      () =>
        t.cluster.change('b', {
          health: { status: 'unhealthy', summary: 'head is old', reasons: [], checkedAtMs: 1 },
        }),
      'b is unhealthy: head is old',
    ],
  ])('refuses a target that %s', async (_what, make, message) => {
    await make();
    expect(await t.baton('transfer', 'b')).toBe(1);
    expect(t.failure()).toEqual([`error: ${message}`, 'unfit-target']);
    expect(t.cluster.calls).toEqual([]);
  });

  it('--force asks the leader anyway, and passes on its answer', async () => {
    t.cluster.change('b', { paused: true });
    t.cluster.onCall = () => ({ error: { code: -32000, message: 'b is too far behind' } });
    expect(await t.baton('transfer', 'b', '--force')).toBe(1);
    expect(t.failure()).toEqual([`error: ${t.cluster.url('a')} answers: b is too far behind`, 'refused']);
  });

  it.each([[[]], [['b']]])('keeps a paused leader with a sequencer in place (%j)', async (target) => {
    t.cluster.change('a', { paused: true });
    expect(await t.baton('transfer', ...target)).toBe(1);
    expect(t.noted).toEqual([
      'error: a leads and is paused: its sequencer would stay active',
      'remedy: baton resume a first, or repeat with --force and stop that sequencer yourself (unfit-target)',
    ]);
    expect(t.cluster.calls).toEqual([]);
    t.cluster.onCall = () => {
      t.cluster.lead('b');
      const { node } = t.cluster.get('a').status;
      t.cluster.change('a', { node: { ...node, sequencerActive: true } });
      return { result: null };
    };
    expect(await t.baton('transfer', ...target, '--force')).toBe(0);
  });

  it('refuses an unknown id', async () => {
    expect(await t.baton('transfer', 'x', '--force')).toBe(1);
    expect(t.failure()).toEqual(['error: x is not a member; the members are a, b, c', 'not-a-member']);
  });

  it('gives up at its deadline and says what was missing', async () => {
    expect(await t.baton('transfer', 'b', '--deadline', '300ms')).toBe(1);
    expect(t.failure()).toEqual(['error: after 300ms: a leads', 'deadline']);
    t.cluster.change('a', { role: 'follower' });
    expect(await t.baton('transfer', 'b', '--deadline', '300ms')).toBe(1);
    expect(t.failure()).toEqual(['error: after 300ms: no leader', 'deadline']);
  });

  it('says that the quorum is lost, and what it waits for if that takes long', async () => {
    t.cluster.change('a', { role: 'follower' });
    await Promise.all([t.cluster.kill('b'), t.cluster.kill('c')]);
    expect(await t.baton('transfer', '--deadline', '3.5s')).toBe(1);
    const lost = 'no leader: 1 of 3 voters answer, 2 are needed';
    expect(t.noted.slice(0, 2)).toEqual([`waiting: ${lost}`, `error: after 3.5s: ${lost}`]);
    expect(await t.baton('add', 'd', '10.0.0.4:50050', '--deadline', '200ms')).toBe(1);
    expect(t.failure()).toEqual([`error: after 200ms: ${lost}`, 'quorum-lost']);
  });

  it('ends when the user cancels', async () => {
    const giveUp = new AbortController();
    t.cluster.onView = (views) => void (views === 3 && giveUp.abort());
    const argv = ['transfer', 'b', '--rpc', t.cluster.url('a')];
    expect(await runCommand(argv, t.io({}, giveUp.signal))).toBe(1);
    expect(t.failure()[1]).toBe('interrupted');
  });
});

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { TIMING_PROFILES } from '../../raft/index.js';
import { FakeCluster } from './testing/fake-cluster.js';
import { commandsHelp, runCommand } from './index.js';
import type { CommandIo } from './command.js';

let cluster: FakeCluster;
let printed: string[];
let noted: string[];

const io = (env: Record<string, string> = {}, signal = new AbortController().signal): CommandIo => ({
  print: (line) => void printed.push(line),
  note: (line) => void noted.push(line),
  env,
  signal,
});

/** Runs a command with `a` as the conductor to ask. */
const baton = (...argv: string[]): Promise<number> => runCommand([...argv, '--rpc', cluster.url('a')], io());

/** The error line and the code of its remedy. */
const failure = (): string[] => [noted.at(-2) ?? '', /\(([a-z-]+)\)$/.exec(noted.at(-1) ?? '')?.[1] ?? ''];

beforeEach(async () => {
  cluster = await FakeCluster.start(['a', 'b', 'c']);
  printed = [];
  noted = [];
});
afterEach(() => cluster.stop());

const addr = (id: string): string => `127.0.0.1:${50_000 + id.charCodeAt(0)}`;

describe('the command line', () => {
  it('lists all commands, run first', () => {
    const names = [...commandsHelp(io()).matchAll(/^ {2}([a-z]+)/gm)].map(([, name]) => name);
    expect(names).toEqual(
      expect.arrayContaining([
        'run',
        'status',
        'transfer',
        'pause',
        'resume',
        'add',
        'remove',
        'replace',
        'timing',
        'override',
      ]),
    );
    expect(names[0]).toBe('run');
  });

  it.each([
    [['frobnicate'], "unknown command 'frobnicate'"],
    [['status', '--frob'], "unknown option '--frob'"],
    [['add', 'd'], "missing required argument 'address'"],
    [['add', 'd', 'nowhere'], '"nowhere" is no consensus address'],
    [['replace', 'c', 'd', 'nowhere'], '"nowhere" is no consensus address'],
    [['replace', 'c', 'c', '10.0.0.4:50050'], 'for a new disk: baton add c 10.0.0.4:50050'],
    [['status', '--rpc', '10.0.0.1:8547'], '"10.0.0.1:8547" is no URL'],
    [['status', '--rpc', ','], '"" is no URL'],
    [['status', '--deadline', '5'], 'Expected a duration'],
    [['status', '--deadline=-5s'], 'Expected a duration'],
  ])('%j ends with 2', async (argv, complaint) => {
    expect(await runCommand(argv, io())).toBe(2);
    expect(noted.join('\n')).toContain(complaint);
    expect(cluster.calls).toEqual([]);
  });

  it('takes the address from --rpc, else from BATON_RPC, else the port that this host runs its conductor with', async () => {
    const url = cluster.url('b');
    expect(await runCommand(['status'], io({ BATON_RPC: url }))).toBe(0);
    expect(await runCommand(['status'], io({ OP_CONDUCTOR_RPC_PORT: new URL(url).port }))).toBe(0);
    expect(await runCommand(['status', '--rpc', 'http://127.0.0.1:1'], io({ BATON_RPC: url }))).toBe(1);
    expect(failure()[1]).toBe('no-answer');
  });
});

describe('status', () => {
  it('succeeds for a healthy cluster with one leader', async () => {
    expect(await baton('status')).toBe(0);
    expect(printed[0]).toMatch(/\na +leader .*\nb +follower .*\nc +follower .*\n\nhealthy$/s);
    expect(noted).toEqual([]);
  });

  it('fails as soon as anything is wrong, and shows the rest all the same', async () => {
    await cluster.kill('c');
    expect(await baton('status')).toBe(1);
    expect(printed[0]).toContain('a   leader');
    expect(failure()).toEqual(['error: c does not answer: connect ECONNREFUSED', 'unhealthy']);
  });

  it('prints one JSON document', async () => {
    expect(await baton('status', '--json')).toBe(0);
    expect(JSON.parse(printed.join('\n'))).toMatchObject({ healthy: true, leader: 'a' });
  });

  it('needs only one of several addresses', async () => {
    await cluster.kill('b');
    const urls = `${cluster.url('b')}, ${cluster.url('c')},`;
    expect(await runCommand(['status', '--rpc', urls], io())).toBe(1);
    expect(printed[0]).toContain('a   leader');
  });

  it('shows a conductor that is no member, when that one is asked', async () => {
    cluster.get('c').suffrage = null;
    expect(await runCommand(['status', '--rpc', cluster.url('c')], io())).toBe(1);
    expect(printed[0]).toMatch(/\na +leader .*\nb +follower .*\nc +no member /s);
    expect(failure()[0]).toBe('error: c is not a member of the cluster');
    expect(await baton('status')).toBe(0);
  });

  it('tells a program that is no Baton from one that does not answer', async () => {
    cluster.get('a').server.answer = () => ({
      error: { code: -32601, message: 'the method does not exist' },
    });
    expect(await baton('status')).toBe(1);
    expect(failure()[0]).toContain('is no conductor with this command line');
  });
});

describe('transfer', () => {
  it('waits until the target leads and sequences, and nobody else does', async () => {
    cluster.onCall = () => {
      const asked = cluster.views;
      cluster.onView = (views) => {
        if (views === asked + 2) {
          cluster.lead('b');
          const { node } = cluster.get('b').status;
          cluster.change('b', { node: { ...node, sequencerActive: false } });
        }
        if (views === asked + 4) cluster.lead('b');
      };
      return { result: null };
    };
    expect(await baton('transfer', 'b')).toBe(0);
    expect(cluster.calls).toEqual([`a conductor_transferLeaderToServer ["b","${addr('b')}"]`]);
    expect(printed[0]).toMatch(/^b leads in term 6, it was a; its sequencer is active at block 100 \(/);
    expect(cluster.views).toBeGreaterThan(4);
  });

  it('without an id lets the leader choose', async () => {
    cluster.onCall = () => (cluster.lead('c'), { result: null });
    expect(await baton('transfer')).toBe(0);
    expect(cluster.calls).toEqual(['a conductor_transferLeader []']);
    expect(printed[0]).toContain('c leads');
  });

  it('--away acts only where the leader itself is asked', async () => {
    cluster.onCall = () => (cluster.lead('c'), { result: null });
    expect(await runCommand(['transfer', '--away', '--rpc', cluster.url('b')], io())).toBe(0);
    expect(printed[0]).toMatch(/^nothing to hand over: a leads/);
    expect(cluster.calls).toEqual([]);
    expect(await baton('transfer', '--away')).toBe(0);
    expect(cluster.calls).toEqual(['a conductor_transferLeader []']);
    cluster.change('c', { role: 'follower' });
    expect(await baton('transfer', '--away')).toBe(0);
    expect(printed[2]).toMatch(/^nothing to hand over: nobody leads/);
  });

  it('to the leader itself changes nothing', async () => {
    expect(await baton('transfer', 'a')).toBe(0);
    expect(cluster.calls).toEqual([]);
    expect(printed[0]).toContain('a leads in term 4 already');
  });

  it('believes what it sees when the answer is lost, late, or wrong', async () => {
    cluster.onCall = () => (cluster.lead('b'), 'reset');
    expect(await baton('transfer', 'b')).toBe(0);
    cluster.onCall = () => (
      cluster.lead('c'),
      { error: { code: -32000, message: 'leadership transfer timeout' } }
    );
    expect(await baton('transfer', 'c')).toBe(0);
    expect(cluster.calls).toHaveLength(2);
  });

  it('follows the leader that somebody else has moved meanwhile', async () => {
    cluster.onCall = (id) => {
      cluster.lead(id === 'a' ? 'c' : 'b');
      return id === 'a' ? { error: { code: -32000, message: 'node is not the leader' } } : { result: null };
    };
    expect(await baton('transfer', 'b')).toBe(0);
    expect(cluster.calls.map((call) => call[0])).toEqual(['a', 'c']);
  });

  it.each<[string, () => unknown, string]>([
    ['does not answer', () => cluster.kill('b'), 'b does not answer: connect ECONNREFUSED'],
    ['is paused', () => cluster.change('b', { paused: true }), 'b is paused and would start no sequencer'],
    ['may not vote', () => (cluster.get('b').suffrage = 1), 'b is no voter'],
    [
      'is unhealthy',
      () =>
        cluster.change('b', {
          health: { status: 'unhealthy', summary: 'head is old', reasons: [], checkedAtMs: 1 },
        }),
      'b is unhealthy: head is old',
    ],
  ])('refuses a target that %s', async (_what, make, message) => {
    await make();
    expect(await baton('transfer', 'b')).toBe(1);
    expect(failure()).toEqual([`error: ${message}`, 'unfit-target']);
    expect(cluster.calls).toEqual([]);
  });

  it('--force asks the leader all the same, and says what that answers', async () => {
    cluster.change('b', { paused: true });
    cluster.onCall = () => ({ error: { code: -32000, message: 'b is too far behind' } });
    expect(await baton('transfer', 'b', '--force')).toBe(1);
    expect(failure()).toEqual([`error: ${cluster.url('a')} answers: b is too far behind`, 'refused']);
  });

  it.each([[[]], [['b']]])('refuses to leave a paused leader with its sequencer (%j)', async (target) => {
    cluster.change('a', { paused: true });
    expect(await baton('transfer', ...target)).toBe(1);
    expect(noted).toEqual([
      'error: a leads and is paused: its sequencer would stay active',
      'remedy: baton resume a first, or repeat with --force and stop that sequencer yourself (unfit-target)',
    ]);
    expect(cluster.calls).toEqual([]);
    cluster.onCall = () => {
      cluster.lead('b');
      const { node } = cluster.get('a').status;
      cluster.change('a', { node: { ...node, sequencerActive: true } });
      return { result: null };
    };
    expect(await baton('transfer', ...target, '--force')).toBe(0);
  });

  it('refuses an id that nobody has', async () => {
    expect(await baton('transfer', 'x', '--force')).toBe(1);
    expect(failure()).toEqual(['error: x is not a member; the members are a, b, c', 'not-a-member']);
  });

  it('gives up at its deadline and says what was missing', async () => {
    expect(await baton('transfer', 'b', '--deadline', '300ms')).toBe(1);
    expect(failure()).toEqual(['error: after 300ms: a leads', 'deadline']);
    cluster.change('a', { role: 'follower' });
    expect(await baton('transfer', 'b', '--deadline', '300ms')).toBe(1);
    expect(failure()).toEqual(['error: after 300ms: no leader', 'deadline']);
  });

  it('says that the quorum is lost, and what it waits for when that takes long', async () => {
    cluster.change('a', { role: 'follower' });
    await Promise.all([cluster.kill('b'), cluster.kill('c')]);
    expect(await baton('transfer', '--deadline', '3.5s')).toBe(1);
    const lost = 'no leader: 1 of 3 voters answer, 2 are needed';
    expect(noted.slice(0, 2)).toEqual([`waiting: ${lost}`, `error: after 3.5s: ${lost}`]);
    expect(await baton('add', 'd', '10.0.0.4:50050', '--deadline', '200ms')).toBe(1);
    expect(failure()).toEqual([`error: after 200ms: ${lost}`, 'deadline']);
  });

  it('ends when the user gives up', async () => {
    const giveUp = new AbortController();
    cluster.onView = (views) => void (views === 3 && giveUp.abort());
    const argv = ['transfer', 'b', '--rpc', cluster.url('a')];
    expect(await runCommand(argv, io({}, giveUp.signal))).toBe(1);
    expect(failure()[1]).toBe('interrupted');
  });
});

describe('pause and resume', () => {
  beforeEach(() => {
    cluster.onCall = (id, method) => {
      cluster.change(id, { paused: method === 'conductor_pause' });
      return { result: null };
    };
  });

  it('all members, each once', async () => {
    expect(await baton('pause')).toBe(0);
    expect(cluster.calls.sort()).toEqual(['a', 'b', 'c'].map((id) => `${id} conductor_pause []`));
    expect(printed[0]).toMatch(/^a, b, c: paused/);
    expect(await baton('pause')).toBe(0);
    expect(cluster.calls).toHaveLength(3);
    expect(await baton('resume', 'b')).toBe(0);
    expect(cluster.calls[3]).toBe('b conductor_resume []');
    expect(cluster.get('c').status.paused).toBe(true);
  });

  it('does the others when one cannot, and fails naming it', async () => {
    await cluster.kill('b');
    expect(await baton('pause')).toBe(1);
    expect(printed[0]).toMatch(/^a, c: paused/);
    expect(failure()).toEqual(['error: not paused: b: connect ECONNREFUSED', 'incomplete']);
  });

  it('passes on why a member does not resume', async () => {
    await baton('pause');
    cluster.onCall = () => ({ error: { code: -32000, message: 'cannot resume because op-node is gone' } });
    expect(await baton('resume', 'a')).toBe(1);
    expect(failure()).toEqual([
      `error: not resumed: a: ${cluster.url('a')} answers: cannot resume because op-node is gone`,
      'incomplete',
    ]);
  });

  it('does not believe an answer that nothing follows', async () => {
    cluster.onCall = () => ({ result: null });
    expect(await baton('pause', 'b', '--deadline', '300ms')).toBe(1);
    expect(failure()).toEqual(['error: after 300ms: b is not paused', 'deadline']);
  });

  it('refuses an id that nobody has, before it touches the others', async () => {
    expect(await baton('pause', 'a', 'x')).toBe(1);
    expect(failure()[1]).toBe('not-a-member');
    expect(cluster.calls).toEqual([]);
  });
});

describe('add', () => {
  it('waits for the vote', async () => {
    await cluster.add('d', 1);
    cluster.onView = (views) => void (views === 5 && (cluster.get('d').suffrage = 0));
    expect(await baton('add', 'd', addr('d'))).toBe(0);
    expect(cluster.calls).toEqual([`a conductor_addServerAsVoter ["d","${addr('d')}",0]`]);
    expect(printed[0]).toContain(`d at ${addr('d')} is a voter; members: a, b, c, d; leader: a`);
    expect(cluster.views).toBeGreaterThan(4);
  });

  it('--nonvoter is content without', async () => {
    await cluster.add('d', 1);
    expect(await baton('add', 'd', addr('d'), '--nonvoter')).toBe(0);
    expect(printed[0]).toContain('d (no vote)');
  });

  it('passes on why not', async () => {
    cluster.onCall = () => ({ error: { code: -32000, message: 'cannot reach d at 127.0.0.1:1: refused' } });
    expect(await baton('add', 'd', '127.0.0.1:1')).toBe(1);
    expect(failure()).toEqual([
      `error: ${cluster.url('a')} answers: cannot reach d at 127.0.0.1:1: refused`,
      'refused',
    ]);
  });
});

describe('remove', () => {
  const removing = (): void => {
    cluster.onCall = (_id, _method, [id]) => {
      void cluster.get(id as string).server.close();
      cluster.members.delete(id as string);
      return { result: null };
    };
  };

  it('waits until nobody lists it', async () => {
    removing();
    expect(await baton('remove', 'c')).toBe(0);
    expect(cluster.calls).toEqual(['a conductor_removeServer ["c",0]']);
    expect(printed[0]).toContain('c is not a member any more; members: a, b; leader: a');
  });

  it('refuses to cost the quorum', async () => {
    await cluster.kill('b');
    expect(await baton('remove', 'c')).toBe(1);
    expect(failure()).toEqual([
      'error: without c, 1 of 2 voters would answer, and 2 are needed',
      'would-lose-quorum',
    ]);
    expect(cluster.calls).toEqual([]);
    removing();
    expect(await baton('remove', 'c', '--force')).toBe(0);
    expect(cluster.calls).toEqual(['a conductor_removeServer ["c",0,true]']);
  });

  it('removes a dead member', async () => {
    removing();
    await cluster.kill('b');
    expect(await baton('remove', 'b')).toBe(0);
  });

  it('refuses an id that nobody has', async () => {
    expect(await baton('remove', 'x')).toBe(1);
    expect(failure()[1]).toBe('not-a-member');
  });
});

describe('timing', () => {
  const goBy = (id: string, profile: 'lan' | 'lan-fast'): void =>
    cluster.change(id, { timing: { ...TIMING_PROFILES[profile], profile } });

  it('shows the times of the cluster', async () => {
    expect(await baton('timing')).toBe(0);
    expect(printed).toEqual([
      'lan: heartbeatInterval 50ms, electionTimeout 300ms, rankSlot 15ms, jitter 10ms, leaseTimeout 290ms',
    ]);
    expect(cluster.calls).toEqual([]);
  });

  it('waits until all who answer go by the new ones', async () => {
    cluster.onCall = () => {
      goBy('a', 'lan-fast');
      return { result: null };
    };
    cluster.onView = (views) => {
      if (views === 4) goBy('b', 'lan-fast');
      if (views === 6) goBy('c', 'lan-fast');
    };
    expect(await baton('timing', 'lan-fast')).toBe(0);
    expect(cluster.calls).toEqual(['a conductor_setTiming ["lan-fast",0]']);
    expect(cluster.views).toBeGreaterThanOrEqual(6);
    expect(printed[0]).toContain('lan-fast: heartbeatInterval 30ms');
  });

  it('changes single times and leaves the others', async () => {
    const wanted = { ...TIMING_PROFILES.lan, electionTimeoutMs: 1000, leaseTimeoutMs: 990 };
    cluster.onCall = (_id, _method, params) => {
      expect(params).toEqual([wanted, 0]);
      for (const id of 'abc') cluster.change(id, { timing: { ...wanted, profile: null } });
      return { result: null };
    };
    expect(await baton('timing', '--election-timeout', '1s', '--lease-timeout', '990ms')).toBe(0);
    expect(printed[0]).toContain('free values: heartbeatInterval 50ms, electionTimeout 1s');
  });

  it('says what is missing at its deadline, and passes on why not', async () => {
    expect(await baton('timing', 'lan-fast', '--deadline', '300ms')).toBe(1);
    expect(failure()[0]).toMatch(/after 300ms: a goes by other times still: lan: /);
    cluster.onCall = () => ({ error: { code: -32000, message: 'there is no timing profile "x"' } });
    expect(await baton('timing', 'x')).toBe(1);
    expect(failure()).toEqual([expect.stringContaining('there is no timing profile "x"'), 'refused']);
    expect(await baton('timing', 'lan', '--jitter', '1ms')).toBe(2);
  });
});

describe('replace', () => {
  const replacing = (): void => {
    cluster.onCall = (_id, _method, [old, id]) => {
      cluster.members.delete(old as string);
      cluster.get(id as string).suffrage = 0;
      return { result: null };
    };
  };

  it('waits until the newcomer votes and nobody lists the other', async () => {
    await cluster.add('d', null);
    cluster.onView = (views) => {
      if (views === 4) cluster.get('d').suffrage = 0;
      if (views === 6) cluster.get('c').suffrage = null;
    };
    expect(await baton('replace', 'c', 'd', addr('d'))).toBe(0);
    expect(cluster.views).toBeGreaterThanOrEqual(6);
    expect(cluster.calls).toEqual([`a conductor_replaceServer ["c","d","${addr('d')}",0]`]);
    expect(printed[0]).toContain(`d at ${addr('d')} is a voter in place of c; members: a, b, d; leader: a`);
  });

  it('a member that is dead, and again without asking for it again', async () => {
    await cluster.add('d', 1);
    await cluster.kill('c');
    replacing();
    expect(await baton('replace', 'c', 'd', addr('d'))).toBe(0);
    expect(await baton('replace', 'c', 'd', addr('d'))).toBe(0);
    expect(cluster.calls).toHaveLength(1);
  });

  it('says what is missing at its deadline', async () => {
    await cluster.add('d', 1);
    expect(await baton('replace', 'c', 'd', addr('d'), '--deadline', '300ms')).toBe(1);
    expect(failure()).toEqual([`error: after 300ms: d is no voter at ${addr('d')} yet`, 'deadline']);
    cluster.get('d').suffrage = 0;
    expect(await baton('replace', 'c', 'd', addr('d'), '--deadline', '300ms')).toBe(1);
    expect(failure()).toEqual(['error: after 300ms: c is a member still', 'deadline']);
  });

  it('passes on why not', async () => {
    cluster.onCall = () => ({ error: { code: -32000, message: 'cannot reach d at 127.0.0.1:1: refused' } });
    expect(await baton('replace', 'c', 'd', '127.0.0.1:1')).toBe(1);
    expect(failure()[1]).toBe('refused');
  });

  it('refuses an id that nobody has, and one without a vote', async () => {
    expect(await baton('replace', 'x', 'd', addr('d'))).toBe(1);
    expect(failure()[1]).toBe('not-a-member');
    cluster.get('c').suffrage = 1;
    expect(await baton('replace', 'c', 'd', addr('d'))).toBe(1);
    expect(failure()).toEqual(['error: c is no voter', 'not-a-voter']);
    expect(cluster.calls).toEqual([]);
  });
});

describe('override', () => {
  beforeEach(() => {
    cluster.onCall = (id, _method, [leaderOverridden]) => {
      cluster.change(id, { leaderOverridden: leaderOverridden as boolean });
      return { result: null };
    };
  });

  it('is refused while another member leads', async () => {
    expect(await baton('override', 'b')).toBe(1);
    expect(failure()).toEqual(['error: a leads in term 4', 'leader-exists']);
    expect(cluster.calls).toEqual([]);
  });

  it('is refused in a cluster that is just electing', async () => {
    cluster.change('a', { role: 'follower' });
    cluster.onView = (views) => void (views === 5 && cluster.lead('c'));
    expect(await baton('override', 'b')).toBe(1);
    expect(failure()).toEqual(['error: c leads in term 5', 'leader-exists']);
    expect(cluster.calls).toEqual([]);
  });

  it('is set where there is no leader, and ended again', async () => {
    cluster.change('a', { role: 'follower' });
    expect(await baton('override', 'b')).toBe(0);
    expect(await baton('override', 'b', '--remove')).toBe(0);
    expect(cluster.calls).toEqual([
      'b conductor_overrideLeader [true]',
      'b conductor_overrideLeader [false]',
    ]);
  });

  it('needs the member itself', async () => {
    await cluster.kill('b');
    expect(await baton('override', 'b', '--force')).toBe(1);
    expect(failure()[1]).toBe('incomplete');
  });
});

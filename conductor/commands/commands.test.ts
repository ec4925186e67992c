import { hostname } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { runCommand } from './index.js';
import { CommandLine } from './testing/command-line.js';

let t: CommandLine;

beforeEach(async () => {
  t = await CommandLine.start();
});
afterEach(() => t.stop());

describe('the command line', () => {
  it.each([
    [['frobnicate'], "unknown command 'frobnicate'"],
    [['status', '--frob'], "unknown option '--frob'"],
    [['add', 'd'], "missing required argument 'address'"],
    [['add', 'd', 'nowhere'], '"nowhere" is no consensus address'],
    [['replace', 'c', 'd', 'nowhere'], '"nowhere" is no consensus address'],
    [['replace', 'c', 'c', '10.0.0.4:50050'], 'for a new disk: baton add c 10.0.0.4:50050'],
    [['status', '--rpc', '10.0.0.1'], '--rpc is none such as http://10.0.0.1:8547'],
    [['status', '--rpc', '::1:8547'], '--rpc is none such as http://10.0.0.1:8547'],
    [['status', '--rpc', ','], '--rpc is none such as http://10.0.0.1:8547'],
    [['status', '--rpc', 'http://h,ws://h'], 'URL 2 of --rpc is none such as http://10.0.0.1:8547'],
    [['inspect', '~/nowhere'], 'a leading ~ is not replaced by a home folder'],
    [['recover', '$HOME/nowhere'], 'a variable ($) is not replaced'],
    [['status', '--deadline', '5'], 'Expected a duration'],
    [['status', '--deadline=-5s'], 'Expected a duration'],
  ])('%j ends with 3', async (argv, complaint) => {
    expect(await runCommand(argv, t.io())).toBe(3);
    expect(t.noted.join('\n')).toContain(complaint);
    expect(t.cluster.calls).toEqual([]);
  });

  it('takes the address from --rpc, else from BATON_RPC, else the conductor port of this host', async () => {
    const url = t.cluster.url('b');
    expect(await runCommand(['status'], t.io({ BATON_RPC: url }))).toBe(0);
    expect(await runCommand(['status'], t.io({ OP_CONDUCTOR_RPC_PORT: new URL(url).port }))).toBe(0);
    expect(await runCommand(['status', '--rpc', new URL(url).host], t.io())).toBe(0);
    expect(await runCommand(['status', '--rpc', 'http://127.0.0.1:1'], t.io({ BATON_RPC: url }))).toBe(4);
    expect(t.failure()[1]).toBe('no-answer');
  });
});

describe('18: a mistyped command line', () => {
  it.each([
    [['statsu'], ['Did you mean status?', '(see baton --help)']],
    [
      ['status', '--jsn'],
      ['Did you mean --json?', '(see baton status --help)'],
    ],
    [
      ['add', 'd'],
      ["missing required argument 'address'", '(see baton add --help)'],
    ],
    [['add', 'd', 'nowhere'], ['remedy: see baton add --help (usage)']],
    [['help', 'statsu'], ['Did you mean status?']],
  ])('%j', async (argv, complaints) => {
    expect(await runCommand(argv, t.io())).toBe(3);
    for (const complaint of complaints) expect(t.noted.join('\n')).toContain(complaint);
  });

  it('help COMMAND and COMMAND --help print the same', async () => {
    expect(await runCommand(['help', 'status'], t.io())).toBe(0);
    expect(await runCommand(['status', '--help'], t.io())).toBe(0);
    expect(t.printed[0]).toMatch(/^Usage: baton status /);
    expect(t.printed[1]).toBe(t.printed[0]);
  });
});

describe('user names and passwords', () => {
  const secret = (id: string): string => t.cluster.url(id).replace('//', '//user:s3cret@');

  it('are sent', async () => {
    expect(await runCommand(['status', '--rpc', secret('a')], t.io())).toBe(0);
    const [first] = t.cluster.get('a').server.requests;
    expect(first!.authorization).toBe(`Basic ${Buffer.from('user:s3cret').toString('base64')}`);
  });

  it('are not shown by complaints, nor by the help', async () => {
    const deaf = secret('a');
    await t.cluster.kill('a');
    await runCommand(['status', '--rpc', deaf], t.io());
    await runCommand(['status', '--rpc', 'http://user:s3cret%ss@h'], t.io());
    await runCommand(['status', '--rpc', 'http://user:s3cret,x@h'], t.io());
    await runCommand(['status', deaf], t.io());
    await runCommand([deaf], t.io());
    await runCommand(['status', '--deadline', deaf], t.io());
    await runCommand(['status', '--help'], t.io({ BATON_RPC: deaf }));
    t.cluster.get('b').server.answer = () => ({ error: { code: -32601, message: 'no such method' } });
    await runCommand(['status', '--rpc', secret('b')], t.io());
    expect(t.noted.join('\n')).toContain('is no conductor with this command line');
    expect(t.printed.join('\n')).toContain('//***@127.0.0.1');
    expect([...t.noted, ...t.printed].filter((line) => line.includes('s3cret'))).toEqual([]);
    expect(t.noted.length).toBeGreaterThan(6);
  });
});

describe('pause and resume', () => {
  beforeEach(() => t.cluster.obeyPauses());
  const OWNER = `somebody@${hostname()}`;
  const called = (at: string, method: string, member: string | null, more: object = {}): string =>
    `${at} conductor_${method} ${JSON.stringify([{ member, owner: OWNER, ...more }])}`;

  it('affect the whole cluster through one record in its log (friction 8)', async () => {
    expect(await t.baton('pause', '--reason', 'L1 incident', '--owner', 'alice', '--for', '30m')).toBe(0);
    const request = { member: null, owner: 'alice', reason: 'L1 incident', forMs: 1_800_000 };
    expect(t.cluster.calls).toEqual([`a conductor_beginPause ${JSON.stringify([request])}`]);
    expect(t.printed).toContain('It ends by itself after 1800 s, by the clock of each member.');
    expect(t.printed.at(-1)).toMatch(/^the cluster: paused/);
    expect(await t.baton('resume')).toBe(0);
    expect(t.cluster.calls[1]).toBe(called('a', 'endPause', null));
    expect(t.printed.at(-1)).toMatch(/^the cluster: resumed/);
  });

  it('also reach members that are down, through the log (friction 9)', async () => {
    await t.cluster.kill('b');
    expect(await t.baton('pause')).toBe(0);
    expect(t.printed.at(-1)).toMatch(/^the cluster: paused/);
    expect(t.noted).toEqual(['b: no answer; the log will tell, before anything is started there']);
  });

  it.each<[string, () => void, string]>([
    [
      'a member would not understand it',
      () => {
        const obey = t.cluster.onCall;
        t.cluster.onCall = (id, method, params) =>
          (params[0] as { member: unknown }).member === null
            ? { error: { code: -32000, message: 'nothing can be recorded yet' } }
            : obey(id, method, params);
      },
      'nothing can be recorded yet',
    ],
    ['nobody leads', () => t.cluster.change('a', { role: 'follower' }), 'no leader'],
  ])('affect each member separately if %s, and say so', async (_, prepare, why) => {
    prepare();
    await t.cluster.kill('b');
    expect(await t.baton('pause')).toBe(0);
    expect(t.noted[0]).toContain(why);
    expect(t.noted[0]).toContain('each member that answers is paused by itself');
    expect(t.noted[1]).toBe('not paused, since they do not answer: b: connect ECONNREFUSED');
    expect(t.printed.at(-1)).toMatch(/^a, c: paused/);
    expect(t.cluster.calls).toContain(called('c', 'beginPause', 'c', { forMs: null }));
  });

  it('call single members once each', async () => {
    expect(await t.baton('pause', 'a', 'b')).toBe(0);
    const calls = ['a', 'b'].map((id) => called(id, 'beginPause', id, { forMs: null }));
    expect(t.cluster.calls.sort()).toEqual(calls);
    expect(t.printed.at(-1)).toMatch(/^a, b: paused/);
    expect(await t.baton('pause', 'a', 'b')).toBe(0);
    expect(t.cluster.calls).toHaveLength(2);
    expect(await t.baton('resume', 'b')).toBe(0);
    expect(t.cluster.calls[2]).toBe(called('b', 'endPause', 'b'));
    expect(t.cluster.get('a').status.paused).toBe(true);
    // Without an id, separate pauses of members are resumed as well.
    expect(await t.baton('resume')).toBe(0);
    expect(t.cluster.calls[3]).toBe(called('a', 'endPause', 'a'));
  });

  it('send a member of an older release no reason and no time limit', async () => {
    t.cluster.onCall = (id, method) => {
      if (method !== 'conductor_pause')
        return { error: { code: -32601, message: 'the method does not exist' } };
      t.cluster.change(id, { paused: true });
      return { result: null };
    };
    expect(await t.baton('pause', 'b', '--for', '1m')).toBe(1);
    expect(t.failure()[0]).toContain('b runs an older release, whose pauses do not end by themselves');
    expect(await t.baton('pause', 'b')).toBe(0);
    expect(t.cluster.calls.at(-1)).toBe('b conductor_pause []');
  });

  it.each(['flag', 'unreadable-file', 'cluster'] as const)(
    'turn a pause by %s into one of this member that outlives the process',
    async (pausedBy) => {
      t.cluster.change('b', { paused: true, pausedBy });
      t.cluster.change('c', { paused: true, pausedBy: 'bootstrap' });
      expect(await t.baton('pause', 'b', 'c')).toBe(0);
      expect(t.cluster.calls).toEqual([called('b', 'beginPause', 'b', { forMs: null })]);
    },
  );

  it('reach a member that does not answer by a record of the leader', async () => {
    await t.cluster.kill('b');
    expect(await t.baton('pause', 'a', 'b')).toBe(0);
    expect(t.cluster.calls.sort()).toEqual(
      ['a', 'b'].map((id) => called('a', 'beginPause', id, { forMs: null })),
    );
    expect(t.printed.at(-1)).toMatch(
      /^b: no answer; recorded, to be paused as soon as the log is read there/,
    );
  });

  it('fail for a named member that does not answer while nobody leads', async () => {
    t.cluster.change('a', { role: 'follower' });
    await t.cluster.kill('b');
    expect(await t.baton('pause', 'a', 'b')).toBe(1);
    expect(t.printed.at(-1)).toMatch(/^a: paused/);
    expect(t.failure()).toEqual(['error: not paused: b: connect ECONNREFUSED', 'incomplete']);
    expect(await t.baton('resume')).toBe(1);
    expect(t.failure()).toEqual(['error: not resumed: b: connect ECONNREFUSED', 'incomplete']);
  });

  it('do not resume the cluster while nobody leads', async () => {
    await t.baton('pause');
    t.cluster.change('a', { role: 'follower' });
    expect(await t.baton('resume')).toBe(1);
    expect(t.failure()).toEqual(['error: the pause of the cluster was not ended: no leader', 'refused']);
  });

  it('pass on why a member does not resume', async () => {
    await t.baton('pause', 'a');
    t.cluster.onCall = () => ({ error: { code: -32000, message: 'cannot resume because op-node is gone' } });
    expect(await t.baton('resume', 'a')).toBe(1);
    expect(t.failure()).toEqual([
      `error: not resumed: a: ${t.cluster.url('a')} answers: cannot resume because op-node is gone`,
      'incomplete',
    ]);
  });

  it('do not trust an answer without an effect', async () => {
    t.cluster.onCall = () => ({ result: null });
    expect(await t.baton('pause', 'b', '--deadline', '300ms')).toBe(1);
    expect(t.failure()).toEqual(['error: after 300ms: b is not paused', 'deadline']);
  });

  it('refuse an unknown id before they change any member', async () => {
    expect(await t.baton('pause', 'a', 'x')).toBe(1);
    expect(t.failure()[1]).toBe('not-a-member');
    expect(t.cluster.calls).toEqual([]);
  });
});

describe('override', () => {
  beforeEach(() => {
    t.cluster.onCall = (id, _method, [leaderOverridden]) => {
      t.cluster.change(id, { leaderOverridden: leaderOverridden as boolean });
      return { result: null };
    };
  });

  it('is refused while another member leads', async () => {
    expect(await t.baton('override', 'b')).toBe(1);
    expect(t.failure()).toEqual(['error: a leads in term 4', 'leader-exists']);
    expect(t.cluster.calls).toEqual([]);
  });

  it('is refused on the leader itself, unless forced', async () => {
    expect(await t.baton('override', 'a')).toBe(1);
    expect(t.failure()).toEqual(['error: a leads in term 4', 'leader-exists']);
    expect(await t.baton('override', 'b', '--force')).toBe(0);
    expect(t.printed).toContain(
      'a leads in term 4: both will call themselves leader, and batchers may follow either.',
    );
  });

  it('names recover and its danger if the quorum is lost', async () => {
    await t.cluster.kill('b');
    await t.cluster.kill('c');
    t.cluster.change('a', { role: 'follower' });
    expect(await t.baton('override', 'a', '--dry-run')).toBe(0);
    expect(t.printed.join('\n')).toMatch(
      /recover DIRECTORY .* there are two clusters, which build two chains/,
    );
  });

  it('is refused in a cluster that is electing a leader', async () => {
    t.cluster.change('a', { role: 'follower' });
    t.cluster.onView = (views) => void (views === 5 && t.cluster.lead('c'));
    expect(await t.baton('override', 'b')).toBe(1);
    expect(t.failure()).toEqual(['error: c leads in term 5', 'leader-exists']);
    expect(t.cluster.calls).toEqual([]);
  });

  it('is set if there is no leader, and removed again', async () => {
    t.cluster.change('a', { role: 'follower' });
    expect(await t.baton('override', 'b')).toBe(0);
    expect(await t.baton('override', 'b', '--remove')).toBe(0);
    expect(t.cluster.calls).toEqual([
      'b conductor_overrideLeader [true]',
      'b conductor_overrideLeader [false]',
    ]);
  });

  it('needs an answer of the member itself', async () => {
    await t.cluster.kill('b');
    expect(await t.baton('override', 'b', '--force')).toBe(1);
    expect(t.failure()[1]).toBe('incomplete');
  });
});

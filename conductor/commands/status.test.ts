import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { runCommand } from './index.js';
import { CommandLine } from './testing/command-line.js';

let t: CommandLine;

beforeEach(async () => {
  t = await CommandLine.start();
});
afterEach(() => t.stop());

const json = (): Record<string, unknown> => JSON.parse(t.printed.join('\n')) as Record<string, unknown>;

describe('status', () => {
  it('ends with 0 for a cluster in which nothing is wrong', async () => {
    expect(await t.baton('status')).toBe(0);
    expect(t.printed[0]).toMatch(
      /\na +leader .*\nb +follower .*\nc +follower .*\n\nok: 3 of 3 voters keep up/s,
    );
    expect(t.noted).toEqual([]);
  });

  it('ends with 1 for a degraded one, and says why once', async () => {
    await t.cluster.kill('c');
    expect(await t.baton('status')).toBe(1);
    expect(t.printed[0]).toContain('a   leader');
    expect(t.printed[0]).toContain('  - degraded: c does not answer: connect ECONNREFUSED (no-answer)\n');
    expect(t.noted).toEqual([]);
  });

  it('ends with 2 for a critical one', async () => {
    t.cluster.change('a', { role: 'follower' });
    expect(await t.baton('status')).toBe(2);
    expect(t.printed[0]).toContain('  - critical: no leader (no-leader)\n');
  });

  it('prints one JSON document with a version', async () => {
    expect(await t.baton('status', '--json')).toBe(0);
    expect(json()).toMatchObject({ schemaVersion: 1, level: 'ok', problems: [], healthy: true, leader: 'a' });
  });

  it('ends with 4 if no conductor answers, and also says so in JSON', async () => {
    await t.cluster.kill('a');
    expect(await t.baton('status', '--json')).toBe(4);
    expect(json()).toEqual({
      schemaVersion: 1,
      error: {
        code: 'no-answer',
        message: expect.stringContaining('ECONNREFUSED'),
        remedy: expect.any(String),
      },
    });
    expect(t.failure()[1]).toBe('no-answer');
  });

  it.each([
    [['status', '--json', '--frob'], "unknown option '--frob'"],
    [['status', '--json', '--rpc', '10.0.0.1'], '--rpc is none such as http://10.0.0.1:8547'],
  ])('%j ends with 3, and says why in JSON', async (argv, message) => {
    expect(await runCommand(argv, t.io())).toBe(3);
    expect(json()).toMatchObject({ error: { code: 'usage', message: expect.stringContaining(message) } });
  });

  it('needs only one of several addresses', async () => {
    await t.cluster.kill('b');
    const urls = `${t.cluster.url('b')}, ${t.cluster.url('c')},`;
    expect(await runCommand(['status', '--rpc', urls], t.io())).toBe(1);
    expect(t.printed[0]).toContain('a   leader');
  });

  it('shows a conductor that is not a member if it is asked', async () => {
    await t.cluster.add('d', null);
    expect(await runCommand(['status', '--rpc', t.cluster.url('d')], t.io())).toBe(1);
    expect(t.printed[0]).toMatch(/\na +leader .*\nb +follower .*\nc +follower .*\nd +no member /s);
    expect(t.printed[0]).toContain('  - degraded: d is not a member of the cluster (not-a-member)\n');
    expect(await t.baton('status')).toBe(0);
  });

  it('tells a program that is not Baton from one that does not answer', async () => {
    t.cluster.get('a').server.answer = () => ({
      error: { code: -32601, message: 'the method does not exist' },
    });
    expect(await t.baton('status')).toBe(4);
    expect(t.failure()[0]).toContain('is no conductor with this command line');
  });

  it('18: prints YAML, and errors as YAML', async () => {
    expect(await t.baton('status', '-o', 'yaml')).toBe(0);
    expect(t.printed[0]).toMatch(/^schemaVersion: 1\nlevel: ok\nproblems: \[\]\nleader: a\n/);
    t.printed.length = 0;
    expect(await t.baton('status', '-o', 'yaml', '--frob')).toBe(3);
    expect(t.printed[0]).toMatch(/^schemaVersion: 1\nerror:\n {2}code: usage\n/);
  });

  it('20: names the RPC of every member', async () => {
    await t.baton('status', '--json');
    const port = new URL(t.cluster.url('b')).port;
    expect(json()).toMatchObject({ members: [{}, { id: 'b', rpcUrl: `http://127.0.0.1:${port}` }, {}] });
  });

  it('17: says how to name a cluster if none was named', async () => {
    const port = Number(new URL(t.cluster.url('a')).port);
    expect(port).not.toBe(8545);
    t.cluster.get('a').server.answer = () => ({ error: { code: -32601, message: 'no' } });
    // Whatever listens there, it is not a conductor.
    expect(await runCommand(['status'], t.io({ OP_CONDUCTOR_RPC_ADDR: '127.0.0.2' }))).toBe(4);
    expect(t.noted.at(-1)).toMatch(/no cluster was named.*--rpc HOST:PORT.*config\.yaml/);
  });
});

describe('18: status --watch', () => {
  /** Cancels after this many views. */
  function watching(views: number, ...argv: string[]): Promise<number> {
    const giveUp = new AbortController();
    t.cluster.onView = (seen) => seen > views && giveUp.abort();
    const all = ['status', '--watch', '100ms', '--rpc', t.cluster.url('a'), ...argv];
    return runCommand(all, t.io({}, giveUp.signal));
  }

  it('shows the cluster repeatedly, and exits with the code of the last view', async () => {
    t.cluster.onView = () => undefined;
    const ended = watching(2);
    expect(await ended).toBe(0);
    expect(t.printed).toHaveLength(2);
  });

  it('continues if no conductor answers', async () => {
    const giveUp = new AbortController();
    const io = t.io({}, giveUp.signal);
    const print = (line: string): void => {
      io.print(line);
      if (t.printed.length === 2) giveUp.abort();
    };
    const url = t.cluster.url('a');
    await t.cluster.kill('a');
    expect(await runCommand(['status', '-w', '100ms', '--rpc', url], { ...io, print })).toBe(4);
    expect(t.printed).toEqual([
      expect.stringMatching(/^error: .*ECONNREFUSED/),
      expect.stringMatching(/^error: .*ECONNREFUSED/),
    ]);
  });

  it('writes one line of JSON for each view', async () => {
    await watching(2, '--json');
    expect(t.printed.map((line) => (JSON.parse(line) as { level: string }).level)).toEqual(['ok', 'ok']);
  });

  it('draws over the last view on a terminal, at its full width', async () => {
    const giveUp = new AbortController();
    const drawn: string[] = [];
    const redraw = (text: string): void => {
      drawn.push(text);
      if (drawn.length === 2) giveUp.abort();
    };
    const screen = { columns: () => 60, color: false, redraw };
    const argv = ['status', '--watch', '100ms', '--rpc', t.cluster.url('a')];
    expect(await runCommand(argv, { ...t.io({}, giveUp.signal), screen })).toBe(0);
    expect(drawn[1]).toMatch(/^20.*Z, every 0\.1 s\n\nID +ROLE /);
    expect(Math.max(...drawn[1]!.split('\n').map((line) => line.length))).toBeLessThanOrEqual(60);
    expect(t.printed).toEqual([]);
  });

  it.each(['soon', '10ms', '-1s'])('refuses %s as an interval', async (interval) => {
    expect(await t.baton('status', `--watch=${interval}`)).toBe(3);
  });
});

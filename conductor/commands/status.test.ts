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

  it('ends with 1 for one that is degraded, and says why once', async () => {
    await t.cluster.kill('c');
    expect(await t.baton('status')).toBe(1);
    expect(t.printed[0]).toContain('a   leader');
    expect(t.printed[0]).toContain('  - degraded: c does not answer: connect ECONNREFUSED (no-answer)\n');
    expect(t.noted).toEqual([]);
  });

  it('ends with 2 for one that is critical', async () => {
    t.cluster.change('a', { role: 'follower' });
    expect(await t.baton('status')).toBe(2);
    expect(t.printed[0]).toContain('  - critical: no leader (no-leader)\n');
  });

  it('prints one JSON document, which has a version', async () => {
    expect(await t.baton('status', '--json')).toBe(0);
    expect(json()).toMatchObject({ schemaVersion: 1, level: 'ok', problems: [], healthy: true, leader: 'a' });
  });

  it('ends with 4 when nobody answers, and says so in JSON, too', async () => {
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

  it('shows a conductor that is no member, when that one is asked', async () => {
    await t.cluster.add('d', null);
    expect(await runCommand(['status', '--rpc', t.cluster.url('d')], t.io())).toBe(1);
    expect(t.printed[0]).toMatch(/\na +leader .*\nb +follower .*\nc +follower .*\nd +no member /s);
    expect(t.printed[0]).toContain('  - degraded: d is not a member of the cluster (not-a-member)\n');
    expect(await t.baton('status')).toBe(0);
  });

  it('tells a program that is no Baton from one that does not answer', async () => {
    t.cluster.get('a').server.answer = () => ({
      error: { code: -32601, message: 'the method does not exist' },
    });
    expect(await t.baton('status')).toBe(4);
    expect(t.failure()[0]).toContain('is no conductor with this command line');
  });
});

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { runCommand } from '../index.js';
import { CommandLine } from '../testing/command-line.js';

let t: CommandLine;
let home: string;
let file: string;

beforeEach(async () => {
  t = await CommandLine.start();
  home = mkdtempSync(path.join(tmpdir(), 'baton-home-'));
  file = path.join(home, '.local', 'state', 'baton', 'members.json');
});
afterEach(async () => {
  await t.stop();
  rmSync(home, { recursive: true, force: true });
});

const status = (...argv: string[]): Promise<number> => {
  t.noted.length = t.printed.length = 0;
  return runCommand(['status', '--rpc', t.cluster.url('a'), ...argv], t.io({ HOME: home }));
};
const kept = (): { clusters: Record<string, { clusterId: string; members: object[] }> } =>
  JSON.parse(readFileSync(file, 'utf8')) as ReturnType<typeof kept>;

describe('17: members that were seen before', () => {
  it('are asked if the named one is down, with a note', async () => {
    expect(await status()).toBe(0);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const a = t.cluster.url('a');
    await t.cluster.kill('a');
    t.cluster.lead('b');
    expect(await runCommand(['status', '--rpc', a], t.io({ HOME: home }))).toBe(1);
    expect(t.noted[0]).toContain('ECONNREFUSED');
    expect(t.noted[1]).toMatch(
      /^asked the members that were seen before: b at http.*, c at http.* \(list of 20/,
    );
    expect(t.printed.at(-1)).toMatch(/\nb +leader /);
  });

  it('keeps those that did not answer last', async () => {
    await status();
    await t.cluster.kill('c');
    await status();
    const [cluster] = Object.values(kept().clusters);
    expect(cluster).toMatchObject({ clusterId: 'c1', members: [{ id: 'a' }, { id: 'b' }, { id: 'c' }] });
  });

  it('are not asked once they belong to another cluster', async () => {
    await status();
    for (const id of 'bc') t.cluster.change(id, { clusterId: 'c2' });
    await t.cluster.kill('a');
    expect(await status()).toBe(4);
    expect(t.failure()[1]).toBe('no-answer');
  });

  it('do not make a hook hand over for another member', async () => {
    await status();
    await t.cluster.kill('a');
    t.cluster.lead('b');
    const argv = ['transfer', '--away', '--yes', '--rpc', t.cluster.url('a')];
    expect(await runCommand(argv, t.io({ HOME: home }))).toBe(0);
    expect(t.printed.at(-1)).toMatch(/^nothing to transfer: b leads/);
    expect(t.cluster.calls).toEqual([]);
  });

  it('are called by commands that change something', async () => {
    await status();
    await t.cluster.kill('a');
    t.cluster.lead('b');
    t.cluster.onCall = (id) => (t.cluster.change(id, { paused: true }), { result: null });
    const argv = ['pause', 'c', '--yes', '--rpc', t.cluster.url('a')];
    expect(await runCommand(argv, t.io({ HOME: home }))).toBe(0);
    expect(t.cluster.calls).toEqual([expect.stringMatching(/^c conductor_beginPause /)]);
  });

  it('of a damaged file are forgotten, with a note', async () => {
    mkdirSync(path.dirname(file), { recursive: true });
    for (const text of ['{', '{"version":1,"clusters":{"x":{}}}']) {
      writeFileSync(file, text);
      expect(await status()).toBe(0);
      expect(t.noted).toEqual([`${file} is damaged and was ignored: it is written anew`]);
      expect(Object.keys(kept().clusters)).toHaveLength(1);
    }
  });

  it('belong to at most 32 clusters; the one not seen for the longest time is dropped', async () => {
    const clusters = Object.fromEntries(
      Array.from({ length: 32 }, (_, n) => [`k${n}`, { seenAtMs: n, clusterId: 'x', members: [] }]),
    );
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify({ version: 1, clusters }));
    await status();
    expect(Object.keys(kept().clusters)).toHaveLength(32);
    expect(kept().clusters).not.toHaveProperty('k0');
    expect(kept().clusters).toHaveProperty([new URL(t.cluster.url('a')).origin]);
  });

  it('are stored without passwords', async () => {
    const url = t.cluster.url('a').replace('//', '//user:s3cret@');
    expect(await runCommand(['status', '--rpc', url], t.io({ HOME: home }))).toBe(0);
    expect(readFileSync(file, 'utf8')).not.toContain('s3cret');
  });

  it('are optional: a missing or read-only home changes nothing', async () => {
    writeFileSync(path.join(home, '.local'), 'a file');
    expect(await status()).toBe(0);
    expect(t.noted).toEqual([]);
    expect(existsSync(file)).toBe(false);
    expect(await runCommand(['status', '--rpc', t.cluster.url('a')], t.io())).toBe(0);
  });
});

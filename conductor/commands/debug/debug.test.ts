import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { unpackTar } from 'modern-tar';
import type { FakeAnswer } from '../../../rpc/clients/testing/fake-rpc-server.js';
import type { DebugReport } from '../../../rpc/server/debug-report.js';
import { CommandLine } from '../testing/command-line.js';

let t: CommandLine;
let directory: string;
let out: string;

beforeEach(async () => {
  t = await CommandLine.start();
  directory = await mkdtemp(path.join(os.tmpdir(), 'baton-debug-'));
  out = path.join(directory, 'archive.tar.gz');
  t.cluster.onCall = answer;
});
afterEach(async () => {
  await t.stop();
  await rm(directory, { recursive: true });
});

const unknownMethod: FakeAnswer = { error: { code: -32601, message: 'the method does not exist' } };

function reportOf(id: string): DebugReport {
  return {
    id,
    versions: {
      baton: 'v1.2.3',
      node: 'v20.0.0',
      platform: 'linux-x64',
      opNode: { version: 'v1.9.0', error: '' },
      execution: { version: null, error: 'connection refused' },
    },
    config: { raft: { serverId: id } },
    metrics: 'op_conductor_up 1\n',
    log: { lines: [`{"msg":"started","node":"${id}"}`, '{"msg":"elected"}'], dropped: 7 },
  };
}

function answer(id: string, method: string): FakeAnswer {
  return method === 'conductor_debug' ? { result: reportOf(id) } : unknownMethod;
}

/** Files of the archive by name, without the common folder. */
async function archived(): Promise<Map<string, string>> {
  const entries = await unpackTar(gunzipSync(await readFile(out)));
  return new Map(
    entries.map(({ header, data }) => [
      header.name.split('/').slice(1).join('/'),
      String(Buffer.from(data!)),
    ]),
  );
}

describe('debug', () => {
  it('has all answers of the members, under one folder', async () => {
    expect(await t.baton('debug', '--out', out)).toBe(0);
    expect(t.printed.at(-1)).toMatch(/archive\.tar\.gz: 3 of 3 members answered \(/);
    const files = await archived();
    const ofMember = ['status.json', 'versions.json', 'config.json', 'metrics.txt', 'log.jsonl'];
    expect([...files.keys()]).toEqual([
      ...['contents.txt', 'status.txt', 'cluster.json'],
      ...['a', 'b', 'c'].flatMap((id) => ofMember.map((name) => `members/${id}/${name}`)),
    ]);
    expect(files.get('status.txt')).toContain('ok: 3 of 3 voters keep up');
    expect(JSON.parse(files.get('cluster.json')!)).toMatchObject({ level: 'ok', leader: 'a' });
    expect(JSON.parse(files.get('members/b/status.json')!)).toMatchObject({
      id: 'b',
      timing: { profile: 'lan' },
    });
    expect(JSON.parse(files.get('members/b/versions.json')!)).toEqual(reportOf('b').versions);
    expect(files.get('members/b/metrics.txt')).toBe('op_conductor_up 1\n');
    expect(files.get('members/b/log.jsonl')).toBe(
      '{"droppedLines":7}\n{"msg":"started","node":"b"}\n{"msg":"elected"}\n',
    );
  });

  it('is readable only by its owner', async () => {
    await t.baton('debug', '--out', out);
    expect((await stat(out)).mode & 0o777).toBe(0o600);
  });

  it('has the history of members that keep one', async () => {
    t.cluster.onCall = (id, method) =>
      method === 'conductor_history' && id === 'a' ? { result: [{ what: 'elected' }] } : answer(id, method);
    await t.baton('debug', '--out', out);
    const files = await archived();
    expect(JSON.parse(files.get('members/a/history.json')!)).toEqual([{ what: 'elected' }]);
    expect(files.has('members/b/history.json')).toBe(false);
  });

  it('succeeds without members that do not answer, and names them', async () => {
    await t.cluster.kill('c');
    t.cluster.onCall = (id, method) => (id === 'b' ? unknownMethod : answer(id, method));
    expect(await t.baton('debug', '--out', out)).toBe(0);
    expect(t.noted).toEqual([
      'nothing from b: its version has no conductor_debug',
      'nothing from c: connect ECONNREFUSED',
    ]);
    expect(t.printed.at(-1)).toContain('1 of 3 members answered');
    const files = await archived();
    expect(files.get('members/c/no-answer.txt')).toBe(
      'c gave no log, metrics and settings: connect ECONNREFUSED\n',
    );
    expect([...files.keys()].filter((name) => name.startsWith('members/c/'))).toHaveLength(1);
    expect(files.has('members/b/status.json')).toBe(true);
  });

  it('overwrites no file, and leaves no incomplete file behind', async () => {
    await writeFile(out, 'precious');
    expect(await t.baton('debug', '--out', out)).toBe(1);
    expect(t.failure()).toEqual([expect.stringContaining('EEXIST'), 'not-written']);
    expect(await readFile(out, 'utf8')).toBe('precious');
    expect(await t.baton('debug', '--out', path.join(directory, 'nowhere', 'x.tar.gz'))).toBe(1);
    expect(t.failure()).toEqual([expect.stringContaining('ENOENT'), 'not-written']);
    expect(await readdir(directory)).toEqual(['archive.tar.gz']);
  });

  it('accepts any id as a name inside the archive', async () => {
    await t.cluster.add('../evil/..', 0);
    t.cluster.lead('a');
    await t.baton('debug', '--out', out);
    expect([...(await archived()).keys()]).toContain('members/%2E%2E%2Fevil%2F../status.json');
  });
});

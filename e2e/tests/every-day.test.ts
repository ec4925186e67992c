import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { batonCommand, HEALTH_FLAGS } from '../cluster/baton-process.js';
import { runBaton } from '../cluster/run-baton.js';
import { waitFor } from '../cluster/wait-for.js';
import { describeCluster, STEADY } from './describe-cluster.js';
import { expectHealthy } from './expect-healthy.js';

const ENDS_WITHIN_MS = 60_000;

let home: string;

beforeAll(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'baton-home-'));
});
afterAll(() => rm(home, { recursive: true, force: true }));

it('18: a mistyped command is answered in one line', async () => {
  expect(await runBaton(['--verison'])).toEqual({
    code: 2,
    stdout: '',
    stderr: 'flag provided but not defined: -verison: did you mean --version?\n',
  });
  expect(await runBaton(['statsu'])).toMatchObject({
    code: 3,
    stderr: expect.stringContaining('Did you mean status?'),
  });
});

it('18: version and help are also commands', async () => {
  const version = await runBaton(['--version']);
  expect(version).toMatchObject({ code: 0, stdout: expect.stringMatching(/^baton version v\d/) });
  for (const argv of [['version'], ['-v'], ['run', '--version'], ['op-conductor', '--version']]) {
    expect(await runBaton(argv)).toEqual(version);
  }
  const help = await runBaton(['help', 'transfer']);
  expect(help).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Usage: baton transfer /) });
  expect(await runBaton(['transfer', '--help'])).toEqual(help);
  expect(await runBaton(['help', 'run'])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('--raft.server.id'),
  });
});

it('26, 27: op-conductor begins with its version and settings, in the names of its own logs', async () => {
  const [program, ...first] = batonCommand();
  // A conductor that cannot open its directory ends by itself.
  const blocked = path.join(home, 'a-file');
  await writeFile(blocked, '');
  const link = path.join(home, 'op-conductor');
  await symlink(program, link);
  const argv = [
    ...['--raft.server.id', 's0', '--raft.storage.dir', blocked, ...HEALTH_FLAGS],
    ...[
      '--consensus.addr',
      '127.0.0.1',
      '--consensus.port',
      '0',
      '--rpc.addr',
      '127.0.0.1',
      '--rpc.port',
      '0',
    ],
    ...['--node.rpc', 'http://127.0.0.1:1', '--execution.rpc', 'http://user:s3cret@127.0.0.1:1/s3cret'],
  ];
  // Only compiled files can be linked to.
  expect(first).toEqual([]);
  const { stdout } = await promisify(execFile)(link, argv, { timeout: ENDS_WITHIN_MS }).catch(
    (error: { stdout: string }) => error,
  );
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines[0]).toMatchObject({
    lvl: 'info',
    t: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:]+\.\d{3}Z$/),
    msg: 'starting',
    program: 'op-conductor',
    version: expect.stringMatching(/^v\d/),
    settings: { 'raft.server.id': 's0', 'execution.rpc': 'http://127.0.0.1:1' },
  });
  expect(lines.at(-1)).toMatchObject({ lvl: 'crit', msg: 'exiting', err: expect.any(String) });
  expect(stdout).not.toContain('s3cret');
});

describeCluster('the command line, every day', STEADY, (cluster, scenario) => {
  beforeAll(() => expectHealthy(cluster).then(() => undefined));

  const baton = (...argv: string[]): ReturnType<typeof runBaton> => runBaton(argv, { HOME: home });

  scenario('17: a cluster has a name, and host:port will do as an address', async () => {
    const address = new URL(cluster.nodes[0]!.baton.rpcUrl).host;
    await mkdir(path.join(home, '.config', 'baton'), { recursive: true });
    await writeFile(
      path.join(home, '.config', 'baton', 'config.yaml'),
      `clusters:\n  prod:\n    rpc: ['${address}']\n  other:\n    rpc: ['127.0.0.1:1']\n`,
    );
    expect(await baton('status', '--rpc', address)).toMatchObject({ code: 0 });
    expect(await baton('status', '--cluster', 'prod')).toMatchObject({ code: 0 });
    expect(await baton('status', '--cluster', 'other')).toMatchObject({ code: 4 });
    expect(await baton('status')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('(prod, other)'),
    });
  });

  scenario('18: --watch shows the cluster until Ctrl-C', async () => {
    const [program, ...first] = batonCommand();
    const argv = [
      ...first,
      'status',
      '--watch',
      '100ms',
      '-o',
      'json',
      '--rpc',
      cluster.nodes[0]!.baton.rpcUrl,
    ];
    const child = spawn(program, argv, { env: { PATH: process.env['PATH'] }, timeout: ENDS_WITHIN_MS });
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
    const ended = once(child, 'exit');
    try {
      await waitFor('it to look three times', () => printed.split('\n').length > 3);
    } finally {
      child.kill('SIGINT');
    }
    expect(await ended).toEqual([0, null]);
    expect(JSON.parse(printed.split('\n')[2]!)).toMatchObject({ schemaVersion: 1, voters: 3 });
  });

  scenario('17: known members answer for one that is gone', async () => {
    const gone = cluster.others(await cluster.activeLeader())[0]!;
    const { rpcUrl } = gone.baton;
    expect(await baton('status', '--rpc', rpcUrl)).toMatchObject({ code: 0, stderr: '' });
    await gone.baton.kill();
    const { code, stdout, stderr } = await baton('status', '--rpc', rpcUrl);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining('asked the members that were seen before: '),
    });
    expect(stdout).toContain(`${gone.id} does not answer`);
    // Without a home directory, no member is remembered.
    expect(await runBaton(['status', '--rpc', rpcUrl])).toMatchObject({ code: 4 });
  });
});

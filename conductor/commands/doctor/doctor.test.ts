import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { runCommand } from '../index.js';
import { memberStatus } from '../testing/fake-cluster.js';
import { CommandLine } from '../testing/command-line.js';
import type { Finding } from './judge/finding.js';

let t: CommandLine;

beforeEach(async () => {
  t = await CommandLine.start();
});
afterEach(() => t.stop());

interface Report {
  schemaVersion: number;
  level: string;
  findings: Finding[];
}

const report = (): Report => JSON.parse(t.printed.join('\n')) as Report;

/** Everything that is not ok, as `level check code`. */
const wrong = (): string[] =>
  report().findings.flatMap(({ level, check, code }) =>
    level === 'ok' ? [] : [`${level} ${check} ${code}`],
  );

const cluster = (...argv: string[]): Promise<number> => t.baton('doctor', '--json', ...argv);

/** The answers of members of this release. */
function tellEverything(): void {
  for (const id of ['a', 'b', 'c']) {
    t.cluster.change(id, {
      measured: { roundTripMs: 1, syncMs: 1, latenessMs: 1 },
      machine: { clockMs: Date.now(), storage: { freeBytes: 2 ** 40, sizeBytes: 2 ** 41 } },
      node: { ...t.cluster.get(id).status.node, chainId: 901 },
    });
  }
}

describe('doctor of a running cluster', () => {
  beforeEach(tellEverything);

  it('ends with 0 if all is well', async () => {
    expect([await cluster(), wrong()]).toEqual([0, []]);
    expect(report()).toMatchObject({ schemaVersion: 1, level: 'ok' });
  });

  it('ends with 1 for members of older releases, which do not report everything', async () => {
    const { machine: _, measured: __, ...older } = memberStatus('b', { term: 4 });
    t.cluster.get('b').status = { ...older, rpcPort: t.cluster.get('b').status.rpcPort };
    expect([await cluster(), wrong()]).toEqual([1, ['warning clocks older-member']]);
  });

  it('finds a connection that is cut in one direction only', async () => {
    t.cluster.cut.add('b c');
    expect([await cluster(), wrong()]).toEqual([2, ['failure peers one-way']]);
    expect(report().findings.find(({ code }) => code === 'one-way')?.text).toMatch(/^b does not reach c: /);
  });

  it('finds a member that only another member can reach', async () => {
    t.cluster.cut.add('a c');
    expect([await cluster(), wrong()]).toEqual([2, ['failure peers one-way']]);
    expect(report().findings.find(({ code }) => code === 'one-way')?.text).toMatch(/^a does not reach c: /);
  });

  it('gives the same verdict as status', async () => {
    await t.cluster.kill('c');
    expect(await cluster()).toBe(1);
    expect(wrong()).toEqual(['warning verdict no-failure-tolerance', 'warning verdict no-answer']);
  });

  it('finds a clock that is late', async () => {
    const { machine } = t.cluster.get('c').status;
    t.cluster.change('c', { machine: { ...machine!, clockMs: Date.now() - 60_000 } });
    expect([await cluster(), wrong()]).toEqual([2, ['failure clocks clocks-differ']]);
    expect(report().findings.find(({ code }) => code === 'clocks-differ')?.text).toMatch(/ahead of c /);
  });

  it('ends with 4 if no conductor answers', async () => {
    await t.cluster.kill('a');
    expect(await cluster()).toBe(4);
    expect(report()).toMatchObject({ schemaVersion: 1, error: { code: 'no-answer' } });
  });

  it('ends with 3 for an invalid address, and for flags of run beside an address', async () => {
    expect(await runCommand(['doctor', '--rpc', '10.0.0.1'], t.io())).toBe(3);
    expect(await cluster('--paused')).toBe(3);
    expect(t.failure()).toEqual([expect.stringContaining('--paused'), 'usage']);
  });
});

describe('doctor of a machine', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'baton-doctor-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('reports everything that is wrong with the flags, and makes no requests with them', async () => {
    expect(await runCommand(['doctor', '--json', '--no-such-flag', '-rpc.port', '70000'], t.io())).toBe(2);
    const texts = report().findings.flatMap(({ code, text }) => (code === 'invalid-config' ? [text] : []));
    expect(texts.join('\n')).toContain('flag provided but not defined: -no-such-flag');
    expect(texts.join('\n')).toContain('invalid RPC port');
    expect(texts.join('\n')).toContain('flag consensus.addr is required');
    expect(report().findings.map(({ check }) => check)).not.toContain('ports');
  });

  it('reports nothing about checks that were interrupted', async () => {
    const flags = [
      ...['--witness', '--raft.server.id', 'w', '--raft.storage.dir', folder],
      ...['--consensus.addr', '127.0.0.1', '--consensus.port', '0', '--rpc.port', '0'],
    ];
    expect(await runCommand(['doctor', ...flags], t.io({}, AbortSignal.abort()))).toBe(1);
    expect(t.printed).toEqual([]);
    expect(t.failure()).toEqual(['error: not everything was checked', 'interrupted']);
  });

  it("reads flags by run's rules, before and after its own options, and the environment", async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const env = { OP_CONDUCTOR_WITNESS: 'true', OP_CONDUCTOR_CONSENSUS_PORT: '0', OP_CONDUCTOR_FROB: '1' };
    const flags = [
      ...[
        '-consensus.addr=127.0.0.1',
        '--raft.server.id',
        'w',
        '--raft.storage.dir',
        path.join(folder, 'store'),
      ],
      ...['-rpc.addr', '127.0.0.1', '--rpc.port', String((taken.address() as AddressInfo).port)],
      ...['--raft.compress-payload', '-healthcheck.safe-enabled'],
    ];
    try {
      for (const argv of [
        ['doctor', ...flags, '--json'],
        ['doctor', '--json', '--', ...flags],
      ]) {
        t.printed.length = 0;
        expect(await runCommand(argv, t.io(env))).toBe(2);
        expect(wrong()).toEqual(
          expect.arrayContaining([
            'warning configuration config-warning',
            'warning configuration flag-without-effect',
            'failure ports port-in-use',
          ]),
        );
        expect(report().findings.map(({ code }) => code)).not.toContain('invalid-config');
      }
    } finally {
      taken.close();
    }
    expect(existsSync(path.join(folder, 'store'))).toBe(false);
    expect(await readdir(folder)).toEqual([]);
  }, 90_000);
});

import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runBaton } from '../cluster/run-baton.js';

describe('bad flags', () => {
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(path.join(os.tmpdir(), 'baton-flags-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  interface Outcome {
    code: number;
    stdout: string;
    /** Of stderr. */
    lines: string[];
  }

  const call = async (argv: readonly string[], env: Record<string, string> = {}): Promise<Outcome> => {
    const { code, stdout, stderr } = await runBaton(argv, env);
    return { code, stdout, lines: stderr.trimEnd().split('\n') };
  };

  const run = (flags: readonly string[], env: Record<string, string> = {}): Promise<Outcome> =>
    call(['run', ...flags], env);

  it('are all reported at once, each with its flag and its environment variable', async () => {
    const required = [
      'consensus.addr',
      'consensus.port',
      'raft.server.id',
      'raft.storage.dir',
      'node.rpc',
      'execution.rpc',
      'healthcheck.interval',
      'healthcheck.unsafe-interval',
      'healthcheck.min-peer-count',
    ];
    const { code, stdout, lines } = await run([]);
    expect([code, stdout]).toEqual([2, '']);
    expect(lines).toHaveLength(1 + required.length);
    for (const [at, flag] of required.entries()) {
      expect(lines[at + 1]).toContain(`flag ${flag} is required`);
      const variable = `OP_CONDUCTOR_${flag.toUpperCase().replace(/[.-]/g, '_')}`;
      expect(lines[at + 1]).toContain(`(--${flag} or ${variable})`);
    }
  });

  it('that contradict each other or make no sense stop it before it touches anything', async () => {
    const storage = path.join(directory, 'raft');
    const { code, lines } = await run(
      [
        ...['--consensus.addr', '127.0.0.1', '--consensus.port', '70000'],
        ...['--raft.server.id', 'a', '--raft.storage.dir', storage],
        ...['--node.rpc', 'nowhere', '--execution.rpc', 'http://127.0.0.1:1'],
        ...['--healthcheck.interval', 'often', '--healthcheck.unsafe-interval', '5'],
        ...['--raft.bootstrap', '--raft.peers', 'a@127.0.0.1:1,b@127.0.0.1:2'],
        ...['--raft.lease-timeout', '2s', '--raft.heartbeat-timeout', '1s', '--no-such-flag'],
      ],
      { OP_CONDUCTOR_HEALTHCHECK_MIN_PEER_COUNT: '0' },
    );
    expect(code).toBe(2);
    const expected = [
      'invalid RPC port',
      'invalid node RPC',
      'invalid value "often" for flag -healthcheck.interval',
      'missing minimum peer count',
      'raft.peers and raft.bootstrap contradict each other',
      'LeaderLeaseTimeout (2s) cannot be larger than heartbeat timeout (1s)',
      'flag provided but not defined: -no-such-flag',
    ];
    const found = expected.filter((text) => lines.some((line) => line.includes(text)));
    expect(found).toEqual(expected);
    expect(lines).toHaveLength(1 + expected.length);
    expect(existsSync(storage)).toBe(false);
  });

  it.each([[['op-conductor', '--paused']], [['--paused']]])(
    'give op-conductor’s errors for %j, as its image is called',
    async (argv) => {
      const { code, lines } = await call(argv);
      expect(code).toBe(2);
      expect(lines.join('\n')).toContain(
        'failed to setup: failed to read config: missing required flags: flag consensus.addr is required',
      );
    },
  );

  it.each([
    [['op-conductor', 'help'], /--raft\.server\.id/],
    [['help'], /status \[options\]/],
    [['op-conductor', '--version'], /^baton version v\d+\.\d+\.\d+\n$/],
  ])('are explained by %j', async (argv, expected) => {
    const { code, stdout } = await call(argv);
    expect([code, expected.test(stdout)]).toEqual([0, true]);
  });

  it('given by environment variable are reported by its name', async () => {
    const { code, lines } = await run([], { OP_CONDUCTOR_CONSENSUS_PORT: 'high' });
    expect(code).toBe(2);
    expect(lines.join('\n')).toContain(
      'invalid value "high" for flag -consensus.port from environment variable OP_CONDUCTOR_CONSENSUS_PORT',
    );
  });
});

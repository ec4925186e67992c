import { describe, expect, it } from '@jest/globals';
import { ConfigError, type ConfigProblem } from './config-error.js';
import type { Config } from './config.js';
import { timingProblem } from '../../raft/core/timing.js';
import { parseConfig } from './parse-config.js';

const good = {
  'consensus.addr': '127.0.0.1',
  'consensus.port': '50050',
  'raft.server.id': 'a',
  'raft.storage.dir': '/data',
  'node.rpc': 'http://op-node:9545',
  'execution.rpc': 'http://geth:8545',
  'healthcheck.interval': '1',
  'healthcheck.unsafe-interval': '5',
  'healthcheck.min-peer-count': '1',
};
const goodArguments = Object.entries(good).map(([name, value]) => `--${name}=${value}`);

function errorOf(argv: string[]): ConfigError | null {
  try {
    parseConfig(argv, {});
    return null;
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
}

function problemsOf(more: string): readonly ConfigProblem[] {
  return errorOf([...goodArguments, ...more.split(' ')])?.problems ?? [];
}

function configOf(more: string): Config {
  const result = parseConfig([...goodArguments, ...more.split(' ')], {});
  if (!('config' in result)) throw new Error('no configuration');
  return result.config;
}

describe('rules', () => {
  // The texts are op-conductor's: scripts look for them.
  it.each([
    ['--consensus.addr=', 'invalid config: missing consensus address'],
    ['--consensus.port=65536', 'invalid config: invalid RPC port'],
    ['--consensus.port=-1', 'invalid config: invalid RPC port'],
    ['--consensus.port=9999999999', 'invalid config: invalid RPC port'],
    ['--raft.server.id=', 'invalid config: missing raft server ID'],
    ['--raft.server.id=../b', 'raft server ID is not a valid folder name'],
    ['--raft.server.id=..', 'raft server ID is not a valid folder name'],
    [`--raft.server.id=${'é'.repeat(128)}`, 'raft server ID is too long'],
    ['--raft.storage.dir=', 'invalid config: missing raft storage directory'],
    ['--node.rpc=', 'invalid config: missing node RPC'],
    ['--node.rpc=op-node:9545', 'invalid config: invalid node RPC'],
    ['--execution.rpc=', 'invalid config: missing geth RPC'],
    ['--execution.rpc=ws://geth', 'invalid config: invalid geth RPC'],
    ['--consensus.advertised=host', 'failed to resolve advertised TCP address'],
    ['--consensus.advertised=0.0.0.0:50050', 'failed to resolve advertised TCP address'],
    ['--consensus.advertised=h:0', 'failed to resolve advertised TCP address'],
    ['--consensus.addr=0.0.0.0', 'local bind address is not advertisable'],
    [
      '--rollup-boost.enabled --rollup-boost.next-enabled --rollup-boost.next-healthcheck-url=http://rb',
      'invalid config: only one of rollup-boost or rollup-boost next healthchecks can be enabled',
    ],
    ['--rollup-boost.next-enabled', 'invalid config: missing rollup-boost next healthcheck URL'],
    [
      '--rollup-boost.next-enabled --rollup-boost.next-healthcheck-url=rb',
      'invalid rollup-boost next healthcheck URL',
    ],
    [
      '--healthcheck.execution-p2p-enabled --healthcheck.execution-p2p-min-peer-count=1 --healthcheck.execution-p2p-rpc-url=h',
      'invalid el p2p rpc',
    ],
    ['--rollupboost.ws-url=http://rb', 'invalid rollup-boost WebSocket URL'],
    [
      '--healthcheck.interval=0',
      'invalid config: invalid health check config: missing health check interval',
    ],
    ['--healthcheck.safe-interval=0', 'invalid config: invalid health check config: missing safe interval'],
    [
      '--healthcheck.min-peer-count=0',
      'invalid config: invalid health check config: missing minimum peer count',
    ],
    ['--healthcheck.execution-p2p-enabled', 'invalid health check config: missing minimum el p2p peers'],
    [
      '--healthcheck.execution-p2p-enabled --healthcheck.execution-p2p-min-peer-count=1 --healthcheck.execution-p2p-check-api=web3',
      'invalid health check config: invalid el p2p check api',
    ],
    [
      '--healthcheck.rollup-boost-partial-healthiness-tolerance-limit=3',
      'only one of RollupBoostPartialHealthinessToleranceLimit or RollupBoostPartialHealthinessToleranceIntervalSeconds found to be defined',
    ],
    ['--healthcheck.timeout=0', 'healthcheck.timeout is not longer than 0'],
    ['--rpc.port=70000', 'invalid config: invalid rpc config: invalid RPC port'],
    ['--rpc.tls.cert=/c', 'only one of certificate and key is given'],
    ['--metrics.tls.key=/k', 'invalid metrics config: only one of certificate and key is given'],
    ['--websocket.tls.cert=/c', 'invalid websocket config: only one of certificate and key is given'],
    ['--rpc.tls.client-ca=/c --rpc.token-file=/t', 'client certificates without TLS'],
    [
      '--rpc.tls.client-ca=/c --rpc.tls.cert=/c --rpc.tls.key=/k',
      'client certificates, but no roles for them',
    ],
    ['--rpc.anonymous-role=read', 'a role for callers without a credential, but no file'],
    ['--rpc.local-addr=0.0.0.0:8548', 'invalid local address'],
    ['--rpc.local-addr=10.0.0.1:8548', 'invalid local address'],
    ['--rpc.local-addr=localhost.example:8548', 'invalid local address'],
    ['--rpc.local-addr=unix:relative', 'invalid local address'],
    ['--rpc.local-addr=127.0.0.1:65536', 'invalid local address'],
    ['--rpc.body-limit-mb=0', 'body limit out of range'],
    ['--rpc.body-limit-mb=257', 'body limit out of range'],
    ['--metrics.enabled --metrics.port=70000', 'invalid config: invalid metrics config:'],
    ['--pprof.enabled --pprof.port=70000', 'invalid config: invalid pprof config:'],
    ['--websocket.server-port=70000', 'invalid websocket server port'],
    ['--raft.heartbeat-timeout=4ms', 'HeartbeatTimeout is too low'],
    ['--raft.heartbeat-timeout=-1s', 'HeartbeatTimeout is too low'],
    ['--raft.lease-timeout=4ms', 'LeaderLeaseTimeout is too low'],
    ['--raft.lease-timeout=-1s', 'LeaderLeaseTimeout is too low'],
    ['--raft.snapshot-interval=0', 'SnapshotInterval is too low'],
    ['--raft.heartbeat-interval=-5ms', 'heartbeat interval out of range'],
    ['--shutdown-timeout=-1s', 'shutdown-timeout is not longer than 0'],
    [
      '--raft.heartbeat-timeout=500ms --raft.lease-timeout=1m0.5s',
      'LeaderLeaseTimeout (1m0.5s) cannot be larger than heartbeat timeout (500ms)',
    ],
    ['--raft.heartbeat-interval=500ms', 'heartbeat interval out of range'],
    ['--raft.heartbeat-interval=0', 'heartbeat interval out of range'],
    ['--raft.priority=1001', 'raft.priority is too large'],
    ['--raft.hand-back=1ms', 'raft.hand-back is too short'],
    ['--raft.retention-mb=0', 'raft.retention-mb is 0'],
    ['--shutdown-timeout=0s', 'shutdown-timeout is not longer than 0'],
    ['--raft.peers=a@h:1,a@h:2', 'an id is listed twice'],
    ['--raft.peers=a@h:1,b@H:1', 'an address is listed twice'],
    ['--raft.peers=b@h:1,c@h:2', 'raft.peers does not contain this node'],
    ['--raft.peers=a@h:1 --raft.bootstrap', 'raft.peers and raft.bootstrap contradict each other'],
    ['--raft.peers=a@h:1 --consensus.advertised=h:2', 'is not its advertised one'],
    ['--rpc.port=50050', 'consensus.port and rpc.port are both 50050'],
    ['--consensus.addr=::1 --rpc.addr=[::1] --rpc.port=50050', 'consensus.port and rpc.port are both 50050'],
    ['--consensus.advertised=::1:50050', 'failed to resolve advertised TCP address'],
    ['--consensus.advertised=[fe80::1%eth0]:50050', 'failed to resolve advertised TCP address'],
    ['--metrics.enabled --metrics.port=8545', 'rpc.port and metrics.port are both 8545'],
    ['--rollupboost.ws-url=ws://rb --rpc.port=8546', 'rpc.port and websocket.server-port are both 8546'],
  ])('%s: %s', (more, text) => {
    const problems = problemsOf(more);
    expect(problems).toHaveLength(1);
    const [{ message, flags } = { message: '', flags: [] }] = problems;
    expect(message).toContain(text);
    // After the text comes what to do, and then the settings to do it with.
    expect(message.slice(message.indexOf(text) + text.length)).toMatch(
      /: .+ \(--\S+ or OP_CONDUCTOR_[A-Z0-9_]+/,
    );
    expect(flags.some((flag) => more.includes(`--${flag}`))).toBe(true);
  });

  it.each([
    ['--node.rpc=op-node:9545', 'as in http://op-node:9545'],
    ['--node.rpc=http://user:s3cret%ss@h', 'write % as %25'],
    ['--execution.rpc=http://user:s3cret/s@h', 'write / as %2F'],
    [
      '--rollup-boost.next-enabled --rollup-boost.next-healthcheck-url=http://us%er:s3cret@h',
      'write % as %25',
    ],
    ['--rollupboost.ws-url=http://user:s3cret@h', 'begins with ws:// or wss://'],
    ['--oops http://user:s3cret@h http://user:s3cret@h', 'unexpected argument "http://***@h"'],
    ['--rpc.port=http://user:s3cret@h', 'invalid value "http://***@h"'],
  ])('shows no password of %s', (more, text) => {
    const { message } = errorOf([...goodArguments, ...more.split(' ')])!;
    expect(message).toContain(text);
    expect(message).not.toContain('s3cret');
  });

  it.each([
    ['--metrics.port=70000', 'a port that is not used'],
    ['--pprof.port=70000', 'a port that is not used'],
    ['--healthcheck.execution-p2p-check-api=web3', 'a check that is off'],
    ['--healthcheck.execution-p2p-rpc-url=geth:8545', 'the URL of a check that is off'],
    ['--rollup-boost.next-healthcheck-url=rb:8080', 'the URL of a check that is off'],
    ['--rollup-boost.healthcheck-timeout=-1s', 'no time-out of its own'],
    ['--raft.heartbeat-timeout=3s', 'a heartbeat timeout over 1 s, which op-conductor refuses'],
    ['--raft.heartbeat-timeout=200ms --raft.lease-timeout=200ms', 'equal times'],
    ['--consensus.port=0 --rpc.port=0', 'two ports chosen by the system'],
    ['--rpc.addr=10.0.0.1 --rpc.port=50050', 'one port on two addresses'],
    ['--metrics.port=8545', 'the port of a server that is off'],
    ['--rpc.addr=[::1] --consensus.addr=[::1]', 'IPv6 addresses in brackets'],
    ['--node.rpc=http://user:p%40ss@[::1]:9545', 'credentials and an IPv6 address'],
    ['--healthcheck.unsafe-interval=0', 'an unsafe interval of 0'],
    [
      '--consensus.addr=0.0.0.0 --consensus.advertised=sequencer-0.raft:50050',
      'all interfaces with a name to advertise',
    ],
    ['--raft.peers=a@h:1,b@h:2 --consensus.advertised=H:1', 'an advertised address that is in the list'],
  ])('accepts %s (%s)', (more) => {
    expect(problemsOf(more)).toEqual([]);
  });

  it('reports everything at once, the required flags in the order of op-conductor', () => {
    const argv =
      '--raft.peers=b@h:1 --raft.bootstrap --log.level=loud --oops --rpc.port=-2 --healthcheck.interval=0';
    const error = errorOf(argv.split(' '))!;
    const expected = [
      'flag provided but not defined: -oops',
      'flag consensus.addr is required',
      'flag consensus.port is required',
      'flag raft.server.id is required',
      'flag raft.storage.dir is required',
      'flag node.rpc is required',
      'flag execution.rpc is required',
      'flag healthcheck.unsafe-interval is required',
      'flag healthcheck.min-peer-count is required',
      'invalid value "loud" for flag -log.level',
      'missing health check interval',
      'invalid rpc config: invalid RPC port',
      'raft.peers and raft.bootstrap contradict each other',
    ];
    expect(error.problems).toHaveLength(expected.length);
    expected.forEach((text, i) => expect(error.problems[i]!.message).toContain(text));
    expected.forEach((text) => expect(error.message).toContain(text));
    expect(error.message).toMatch(/^13 problems with the configuration:\n/);
    expect(error.code).toBe('invalid-config');
  });

  it.each([
    [
      '--rpc.port=-2',
      'failed to setup: failed to create conductor: invalid config: invalid rpc config: invalid RPC port',
    ],
    ['--oops', 'flag provided but not defined: -oops'],
  ])("begins with op-conductor's whole chain for %s", (more, chain) => {
    expect(errorOf([...goodArguments, more])!.message.startsWith(`${chain}: `)).toBe(true);
  });

  it('requires flags even if they have a default', () => {
    for (const [name] of Object.entries(good)) {
      const error = errorOf(goodArguments.filter((argument) => !argument.startsWith(`--${name}=`)));
      expect(error?.problems.map(({ flags }) => flags)).toEqual([[name]]);
      const chain = `failed to setup: failed to read config: missing required flags: flag ${name} is required`;
      expect(error?.message.startsWith(`${chain}: `)).toBe(true);
    }
  });
});

describe('settings that depend on each other', () => {
  it.each([
    ['--paused', 300, 290, 50],
    ['--raft.timing-profile=lan-fast', 150, 143, 30],
    ['--raft.timing-profile=multi-region', 400, 390, 90],
    ['--raft.timing-profile=multi-region --raft.heartbeat-interval=70ms', 400, 390, 70],
    ['--raft.heartbeat-timeout=1s', 1000, 1000, 166],
    ['--raft.heartbeat-timeout=9s --raft.lease-timeout=6s', 9000, 6000, 1500],
    // op-conductor's lease timeout alone is a valid command line there.
    ['--raft.lease-timeout=500ms', 500, 500, 83],
    ['--raft.lease-timeout=60ms', 300, 60, 30],
    ['--raft.heartbeat-timeout=5ms', 5, 5, 1],
  ])('%s gives the raft times', (more, electionTimeoutMs, leaseTimeoutMs, heartbeatIntervalMs) => {
    const { timing } = configOf(more).raft;
    expect(timing).toMatchObject({ electionTimeoutMs, leaseTimeoutMs, heartbeatIntervalMs });
    expect(timingProblem(timing)).toBeUndefined();
  });

  it('gives the execution client peers check its defaults for empty texts, as op-conductor does', () => {
    const { executionP2p } = configOf(
      '--healthcheck.execution-p2p-enabled --healthcheck.execution-p2p-min-peer-count=1 ' +
        '--healthcheck.execution-p2p-rpc-url= --healthcheck.execution-p2p-check-api=',
    ).health;
    expect(executionP2p).toMatchObject({ rpcUrl: 'http://geth:8545', checkApi: 'net' });
  });

  it.each(['0', '-1s'])('keeps a rollup-boost deadline for the time-out %s, which means none', (text) => {
    const { rollupBoost } = configOf(`--rollup-boost.healthcheck-timeout=${text}`);
    expect(rollupBoost.healthcheckTimeoutMs).toBe(5000);
  });

  it("advertises this node's entry in the list of peers", () => {
    const config = configOf('--consensus.addr=0.0.0.0 --raft.peers=b@h:2,a@h:1');
    expect(config.consensus.advertisedAddr).toBe('h:1');
    expect(config.raft.peers).toEqual([
      { id: 'b', addr: 'h:2' },
      { id: 'a', addr: 'h:1' },
    ]);
    expect(configOf('--consensus.advertised=x:3').consensus.advertisedAddr).toBe('x:3');
    expect(configOf('--consensus.addr=[::1]').consensus).toMatchObject({
      listenHost: '::1',
      advertisedAddr: null,
    });
  });
});

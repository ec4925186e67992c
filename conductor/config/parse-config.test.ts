import { describe, expect, it } from '@jest/globals';
import { ConfigError } from './config-error.js';
import { notYetEffective, type Config } from './config.js';
import { flagNames, flags, variableName, type FlagName } from './flag-table.js';
import { parseConfig } from './parse-config.js';

const required = {
  'consensus.addr': '127.0.0.1',
  'consensus.port': '50050',
  'raft.server.id': 'sequencer-0',
  'raft.storage.dir': '/data/raft',
  'node.rpc': 'http://op-node:9545',
  'execution.rpc': 'http://geth:8545',
  'healthcheck.interval': '1',
  'healthcheck.unsafe-interval': '5',
  'healthcheck.min-peer-count': '1',
};
const requiredArguments = Object.entries(required).flatMap(([name, value]) => [`--${name}`, value]);

function parsed(
  argv: string[],
  env: Record<string, string> = {},
): { config: Config; warnings: readonly string[] } {
  const result = parseConfig(argv, env);
  if (!('config' in result)) throw new Error('no configuration');
  return result;
}

/** The configuration of a good command line with more arguments behind it. */
function configOf(more: string[] = [], env: Record<string, string> = {}): Config {
  return parsed([...requiredArguments, ...more], env).config;
}

/** All problems of a command line, as one text. */
function problemsOf(argv: string[], env: Record<string, string> = {}): string[] {
  try {
    parseConfig(argv, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ message }) => message);
    throw error;
  }
  return [];
}

function at(config: Config, path: string): unknown {
  // Of flags without effect only that they were given is known.
  if (path.startsWith('explicit:')) return config.explicit[path.slice('explicit:'.length) as FlagName];
  return path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], config);
}

/**
 * Every flag of op-conductor (op-conductor.md §1) and of Baton: its variable, a text that is valid alone, where its
 * value shows, the value, and the value without it.
 */
const table: Array<
  [FlagName, variable: string, text: string, path: string, value: unknown, byDefault: unknown]
> = [
  ['consensus.addr', 'CONSENSUS_ADDR', 'localhost', 'consensus.listenHost', 'localhost', '127.0.0.1'],
  ['consensus.port', 'CONSENSUS_PORT', '0', 'consensus.listenPort', 0, 50050],
  ['raft.server.id', 'RAFT_SERVER_ID', 'b', 'raft.serverId', 'b', 'sequencer-0'],
  ['raft.storage.dir', 'RAFT_STORAGE_DIR', '/b', 'raft.storageDir', '/b', '/data/raft'],
  ['node.rpc', 'NODE_RPC', 'https://b', 'node.rpcUrl', 'https://b', 'http://op-node:9545'],
  ['execution.rpc', 'EXECUTION_RPC', 'https://b', 'execution.rpcUrl', 'https://b', 'http://geth:8545'],
  ['healthcheck.interval', 'HEALTHCHECK_INTERVAL', '2', 'health.intervalMs', 2000, 1000],
  ['healthcheck.unsafe-interval', 'HEALTHCHECK_UNSAFE_INTERVAL', '0', 'health.unsafeIntervalSeconds', 0, 5],
  ['healthcheck.min-peer-count', 'HEALTHCHECK_MIN_PEER_COUNT', '0x10', 'health.minPeerCount', 16, 1],
  ['consensus.advertised', 'CONSENSUS_ADVERTISED', 'a.b:1', 'consensus.advertisedAddr', 'a.b:1', null],
  ['paused', 'PAUSED', 'true', 'paused', true, false],
  ['rpc.enable-proxy', 'RPC_ENABLE_PROXY', 'false', 'rpc.enableProxy', false, true],
  ['raft.bootstrap', 'RAFT_BOOTSTRAP', 'T', 'raft.bootstrap', true, false],
  ['raft.snapshot-interval', 'RAFT_SNAPSHOT_INTERVAL', '1m30s', 'raft.snapshotIntervalMs', 90_000, 120_000],
  ['raft.snapshot-threshold', 'RAFT_SNAPSHOT_THRESHOLD', '7', 'raft.snapshotThresholdEntries', 7, 8192],
  ['raft.trailing-logs', 'RAFT_TRAILING_LOGS', '7', 'raft.trailingEntries', 7, 10240],
  ['raft.heartbeat-timeout', 'RAFT_HEARTBEAT_TIMEOUT', '2s', 'raft.timing.electionTimeoutMs', 2000, 300],
  ['raft.lease-timeout', 'RAFT_LEASE_TIMEOUT', '200ms', 'raft.timing.leaseTimeoutMs', 200, 290],
  [
    'raft.round-robin-leader-transfer',
    'RAFT_ROUND_ROBIN_LEADER_TRANSFER',
    '1',
    'raft.roundRobinLeaderTransfer',
    true,
    false,
  ],
  ['healthcheck.safe-enabled', 'HEALTHCHECK_SAFE_ENABLED', 'true', 'health.safe.enabled', true, false],
  ['healthcheck.safe-interval', 'HEALTHCHECK_SAFE_INTERVAL', '7', 'health.safe.intervalSeconds', 7, 1200],
  [
    'healthcheck.execution-p2p-enabled',
    'HEALTHCHECK_EXECUTION_P2P_ENABLED',
    'false',
    'health.executionP2p.enabled',
    false,
    false,
  ],
  [
    'healthcheck.execution-p2p-min-peer-count',
    'HEALTHCHECK_EXECUTION_P2P_MIN_PEER_COUNT',
    '3',
    'health.executionP2p.minPeerCount',
    3,
    0,
  ],
  [
    'healthcheck.execution-p2p-rpc-url',
    'HEALTHCHECK_EXECUTION_P2P_RPC_URL',
    'http://c',
    'health.executionP2p.rpcUrl',
    'http://c',
    'http://geth:8545',
  ],
  [
    'healthcheck.execution-p2p-check-api',
    'HEALTHCHECK_EXECUTION_P2P_CHECK_API',
    'admin',
    'health.executionP2p.checkApi',
    'admin',
    'net',
  ],
  [
    'healthcheck.rollup-boost-partial-healthiness-tolerance-limit',
    'HEALTHCHECK_ROLLUP_BOOST_PARTIAL_HEALTHINESS_TOLERANCE_LIMIT',
    '0',
    'rollupBoost.partialToleranceLimit',
    0,
    0,
  ],
  [
    'healthcheck.rollup-boost-partial-healthiness-tolerance-interval-seconds',
    'HEALTHCHECK_ROLLUP_BOOST_PARTIAL_HEALTHINESS_TOLERANCE_INTERVAL_SECONDS',
    '0',
    'rollupBoost.partialToleranceIntervalSeconds',
    0,
    0,
  ],
  ['rollup-boost.enabled', 'ROLLUP_BOOST_ENABLED', 'true', 'rollupBoost.enabled', true, false],
  [
    'rollup-boost.healthcheck-timeout',
    'ROLLUP_BOOST_HEALTHCHECK_TIMEOUT',
    '7s',
    'rollupBoost.healthcheckTimeoutMs',
    7000,
    5000,
  ],
  [
    'rollup-boost.next-enabled',
    'ROLLUP_BOOST_NEXT_ENABLED',
    'false',
    'rollupBoost.nextEnabled',
    false,
    false,
  ],
  [
    'rollup-boost.next-healthcheck-url',
    'ROLLUP_BOOST_NEXT_HEALTHCHECK_URL',
    'http://rb/health',
    'rollupBoost.nextHealthcheckUrl',
    'http://rb/health',
    '',
  ],
  ['rollupboost.ws-url', 'ROLLUPBOOST_WS_URL', 'ws://rb/ws', 'flashblocks.upstreamUrl', 'ws://rb/ws', ''],
  ['websocket.server-port', 'WEBSOCKET_SERVER_PORT', '7', 'flashblocks.listenPort', 7, 8546],
  ['websocket.server-addr', 'WEBSOCKET_SERVER_ADDR', '::1', 'flashblocks.listenHost', '::1', '0.0.0.0'],
  ['websocket.compression', 'WEBSOCKET_COMPRESSION', '1', 'flashblocks.compression', true, false],
  ['rpc.addr', 'RPC_ADDR', '::1', 'rpc.listenHost', '::1', '0.0.0.0'],
  ['rpc.port', 'RPC_PORT', '8547', 'rpc.listenPort', 8547, 8545],
  ['rpc.enable-admin', 'RPC_ENABLE_ADMIN', 'true', 'rpc.enableAdmin', true, false],
  ['log.level', 'LOG_LEVEL', 'CRIT', 'log.level', 'fatal', 'info'],
  ['log.format', 'LOG_FORMAT', 'logfmt', 'log.format', 'logfmt', 'json'],
  ['log.color', 'LOG_COLOR', 'false', 'log.color', false, null],
  ['log.pid', 'LOG_PID', 'true', 'log.pid', true, false],
  ['metrics.enabled', 'METRICS_ENABLED', 'true', 'metrics.enabled', true, false],
  ['metrics.addr', 'METRICS_ADDR', '::1', 'metrics.listenHost', '::1', '0.0.0.0'],
  ['metrics.port', 'METRICS_PORT', '7', 'metrics.listenPort', 7, 7300],
  ['pprof.enabled', 'PPROF_ENABLED', 'true', 'pprof.enabled', true, false],
  ['pprof.addr', 'PPROF_ADDR', '::1', 'pprof.listenHost', '::1', '0.0.0.0'],
  ['pprof.port', 'PPROF_PORT', '7', 'pprof.listenPort', 7, 6060],
  ['pprof.type', 'PPROF_TYPE', 'heap', 'pprof.type', 'heap', ''],
  ['pprof.path', 'PPROF_PATH', '/p', 'pprof.path', '/p', ''],
  ['network', 'NETWORK', 'op-mainnet', 'rollup.network', 'op-mainnet', ''],
  ['rollup.config', 'ROLLUP_CONFIG', '/r.json', 'rollup.configPath', '/r.json', ''],
  ...(
    'canyon delta ecotone fjord granite holocene isthmus jovian karst interop pectrablobschedule'.split(
      ' ',
    ) as Array<'canyon' | 'interop'>
  ).map((fork): (typeof table)[number] => [
    `override.${fork}`,
    `OVERRIDE_${fork.toUpperCase()}`,
    '17',
    `rollup.overrides.${fork}`,
    17,
    undefined,
  ]),
  [
    'raft.peers',
    'RAFT_PEERS',
    'sequencer-0@a:1, b@[::1]:2',
    'raft.peers',
    [
      { id: 'sequencer-0', addr: 'a:1' },
      { id: 'b', addr: '[::1]:2' },
    ],
    [],
  ],
  ['raft.heartbeat-interval', 'RAFT_HEARTBEAT_INTERVAL', '30ms', 'raft.timing.heartbeatIntervalMs', 30, 50],
  ['raft.priority', 'RAFT_PRIORITY', '7', 'raft.priority', 7, 0],
  ['raft.crash-evidence', 'RAFT_CRASH_EVIDENCE', 'false', 'raft.crashEvidence', false, true],
  ['raft.timing-profile', 'RAFT_TIMING_PROFILE', 'lan-fast', 'raft.timing.jitterMs', 6, 10],
  ['raft.retention-mb', 'RAFT_RETENTION_MB', '1', 'raft.retentionBytes', 1_048_576, 134_217_728],
  ['rpc.body-limit-mb', 'RPC_BODY_LIMIT_MB', '5', 'rpc.bodyLimitBytes', 5_242_880, 33_554_432],
  ['compat.silent-transfer', 'COMPAT_SILENT_TRANSFER', 'true', 'rpc.silentTransfer', true, false],
  ['raft.storage.backend', 'RAFT_STORAGE_BACKEND', 'wal', 'raft.storageBackend', 'wal', 'boltdb'],
  ['raft.compress-payload', 'RAFT_COMPRESS_PAYLOAD', 'true', 'raft.compressPayload', true, false],
  ['supervisor.rpc', 'SUPERVISOR_RPC', 'http://s', 'explicit:supervisor.rpc', 'http://s', undefined],
  [
    'reorg-recovery.enabled',
    'REORG_RECOVERY_ENABLED',
    'true',
    'explicit:reorg-recovery.enabled',
    true,
    undefined,
  ],
  ['execution.ws-url', 'EXECUTION_WS_URL', 'ws://g', 'explicit:execution.ws-url', 'ws://g', undefined],
  ['healthcheck.timeout', 'HEALTHCHECK_TIMEOUT', '300ms', 'health.probeTimeoutMs', 300, 1000],
  ['shutdown-timeout', 'SHUTDOWN_TIMEOUT', '3s', 'shutdownTimeoutMs', 3000, 10_000],
];

/** What has to be given with a flag that is on. */
const needs: Partial<Record<FlagName, string[]>> = {
  'healthcheck.execution-p2p-enabled': ['--healthcheck.execution-p2p-min-peer-count=1'],
  'rollup-boost.next-enabled': ['--rollup-boost.next-healthcheck-url=http://rb'],
};

describe('parseConfig', () => {
  it('has every flag in the table above', () => {
    expect(table.map(([name]) => name).sort()).toEqual([...flagNames].sort());
  });

  describe.each(table)('%s', (name, suffix, text, path, value, byDefault) => {
    const variable = `OP_CONDUCTOR_${suffix}`;
    const others = requiredArguments.filter((_, i, all) => ![all[i], all[i - 1]].includes(`--${name}`));

    it('is read from the flag in all of its forms', () => {
      const isBoolean = flags[name].type.placeholder === '';
      expect(at(configOf([`--${name}=${text}`]), path)).toEqual(value);
      expect(at(configOf([`-${name}=${text}`]), path)).toEqual(value);
      if (!isBoolean) expect(at(configOf([`-${name}`, text]), path)).toEqual(value);
      else expect(at(configOf([`-${name}`, ...(needs[name] ?? [])]), path)).toBe(true);
    });

    it('is read from its variable, and the flag wins', () => {
      expect(at(parsed([...others], { [variable]: text }).config, path)).toEqual(value);
      const elsewhere = { [variable]: 'not even valid' };
      expect(at(parsed([...others, `--${name}=${text}`], elsewhere).config, path)).toEqual(value);
      expect(variableName(name)).toBe(variable);
      expect(parsed(others, { [variable]: text }).warnings).toEqual([]);
    });

    it('has its default', () => {
      expect(at(configOf(), path)).toEqual(byDefault);
    });
  });
});

describe('command line', () => {
  it('takes the last of repeated flags', () => {
    expect(configOf(['--raft.server.id=x', '-raft.server.id', 'y']).raft.serverId).toBe('y');
  });

  it('takes a following flag as the value of a flag that needs one, as Go does', () => {
    expect(configOf(['--raft.server.id', '--paused']).raft.serverId).toBe('--paused');
    expect(configOf(['--raft.server.id', '--paused']).paused).toBe(false);
  });

  it('keeps "=" and spaces inside values', () => {
    expect(configOf(['--raft.storage.dir=/a=b c']).raft.storageDir).toBe('/a=b c');
  });

  it('accepts the other name of the body limit, by flag and variable', () => {
    expect(configOf(['--rpc.http-body-limit-mb=9']).rpc.bodyLimitBytes).toBe(9 * 1_048_576);
    expect(configOf([], { OP_CONDUCTOR_RPC_HTTP_BODY_LIMIT_MB: '9' }).rpc.bodyLimitBytes).toBe(9 * 1_048_576);
    const both = { OP_CONDUCTOR_RPC_HTTP_BODY_LIMIT_MB: '9', OP_CONDUCTOR_RPC_BODY_LIMIT_MB: '8' };
    expect(parsed(requiredArguments, both)).toMatchObject({
      config: { rpc: { bodyLimitBytes: 8 * 1_048_576 } },
      warnings: [],
    });
  });

  it.each([
    ['--no-such-flag', 'flag provided but not defined: -no-such-flag'],
    ['--raft.server-id=x', 'flag provided but not defined: -raft.server-id'],
    ['-x', 'flag provided but not defined: -x'],
    ['stray', 'unexpected argument "stray"'],
    ['--', 'unexpected argument "--"'],
    ['', 'unexpected argument ""'],
    ['--consensus.advertised', 'flag needs an argument: -consensus.advertised'],
  ])('refuses %j', (argument, text) => {
    const problems = problemsOf([...requiredArguments, argument]);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(text);
  });

  it('does not report the value of an unknown flag a second time', () => {
    expect(problemsOf(['--supervisor.rpcs', 'http://s', ...requiredArguments])).toHaveLength(1);
  });

  it('says how to give a boolean its value', () => {
    const [problem] = problemsOf([...requiredArguments, '--paused', 'true']);
    expect(problem).toContain('unexpected argument "true"');
    expect(problem).toContain('--paused=true');
  });

  it('accepts the command line of the launcher of the real network', () => {
    const argv =
      '--consensus.addr 127.0.0.1 --consensus.port 7000 --consensus.advertised 127.0.0.1:7000 --execution.rpc http://127.0.0.1:1 ' +
      '--node.rpc http://127.0.0.1:2 --raft.server.id sequencer-0 --raft.storage.dir /d/raft-0 --healthcheck.interval 1 ' +
      '--healthcheck.unsafe-interval 5 --healthcheck.min-peer-count 1 --rpc.addr 127.0.0.1 --rpc.port 7001 --rpc.enable-admin ' +
      '--rpc.enable-proxy --rollup.config /d/rollup.json --metrics.enabled --metrics.addr 127.0.0.1 --metrics.port 7002 ' +
      '--log.level debug --log.format json --raft.bootstrap --paused';
    const { config, warnings } = parsed(argv.split(' '));
    expect(config).toMatchObject({ paused: true, raft: { bootstrap: true }, log: { level: 'debug' } });
    expect(warnings).toEqual([]);
  });

  it.each([['--help'], ['-h'], ['-help']])('prints the help for %s, whatever else is wrong', (argument) => {
    const result = parseConfig([argument, '--nonsense'], { OP_CONDUCTOR_PAUSED: '?' });
    const help = 'help' in result ? result.help : '';
    for (const [name, suffix] of table) {
      expect(help).toContain(`--${name}`);
      expect(help).toContain(`OP_CONDUCTOR_${suffix}`);
    }
    expect(help).toMatch(/--raft\.server\.id <text>\n.*\n\s+\(required, env: OP_CONDUCTOR_RAFT_SERVER_ID\)/);
    expect(help).toMatch(/default: 2m0s/);
    expect(Math.max(...help.split('\n').map((line) => line.length))).toBeLessThanOrEqual(110);
  });

  it.each([['--version'], ['-v']])('answers %s', (argument) => {
    expect(parseConfig([argument], {})).toEqual({ version: true });
  });
});

describe('environment', () => {
  it('can hold everything', () => {
    const env = Object.fromEntries(
      Object.entries(required).map(([name, value]) => [variableName(name), value]),
    );
    expect(parsed([], env).config.raft.serverId).toBe('sequencer-0');
  });

  it('warns of unknown variables of the prefix, and of no others', () => {
    const { warnings } = parsed(requiredArguments, {
      OP_CONDUCTOR_RAFT_SERVERID: 'x',
      OP_NODE_FOO: '1',
      PATH: '/',
    });
    expect(warnings).toEqual(['Unknown env var OP_CONDUCTOR_RAFT_SERVERID: it has no effect']);
  });

  it('takes an empty variable as Go does: false, an empty text, or not set', () => {
    const config = configOf([], {
      OP_CONDUCTOR_RPC_ENABLE_PROXY: '',
      OP_CONDUCTOR_RPC_ADDR: '',
      OP_CONDUCTOR_RPC_PORT: '',
      OP_CONDUCTOR_SHUTDOWN_TIMEOUT: '',
    });
    expect(config.rpc).toMatchObject({ enableProxy: false, listenHost: '', listenPort: 8545 });
    expect(config.shutdownTimeoutMs).toBe(10_000);
    expect(problemsOf([], { OP_CONDUCTOR_RAFT_SERVER_ID: '' }).join()).toContain('missing raft server ID');
  });

  it('names the variable that holds a bad value', () => {
    const [problem] = problemsOf(requiredArguments, { OP_CONDUCTOR_RPC_PORT: 'tcp://10.0.0.1:8545' });
    expect(problem).toContain('invalid value "tcp://10.0.0.1:8545" for flag -rpc.port');
    expect(problem).toContain('from environment variable OP_CONDUCTOR_RPC_PORT: expected a port number');
  });
});

describe('values', () => {
  it.each([
    ['paused', 'yes'],
    ['paused', 'tRUE'],
    ['healthcheck.interval', '-1'],
    ['healthcheck.interval', '1.5'],
    ['healthcheck.interval', '1s'],
    ['healthcheck.interval', '18446744073709551616'],
    ['healthcheck.interval', '08'],
    ['rpc.port', '1__0'],
    ['rpc.port', '9223372036854775808'],
    ['raft.heartbeat-timeout', '500'],
    ['log.level', 'loud'],
    ['log.format', 'JSON'],
    ['pprof.type', 'flame'],
    ['raft.peers', 'a@h'],
    ['raft.peers', 'h:1'],
    ['raft.peers', 'sequencer-0@h:1,'],
    ['raft.peers', 'sequencer-0@h:0'],
    ['raft.peers', 'sequencer-0@0.0.0.0:1'],
  ])('refuses --%s=%s', (name, text) => {
    const problems = problemsOf([...requiredArguments, `--${name}=${text}`]);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`invalid value ${JSON.stringify(text)} for flag -${name}: expected`);
    expect(problems[0]).toContain(`(--${name} or ${variableName(name)})`);
  });

  it("reads Go's number literals", () => {
    const config = configOf([
      '--rpc.port=0x1F90',
      '--metrics.port=016204',
      '--healthcheck.safe-interval=1_200',
    ]);
    expect(config.rpc.listenPort).toBe(8080);
    expect(config.metrics.listenPort).toBe(7300);
    expect(config.health.safe.intervalSeconds).toBe(1200);
  });

  it('cuts what is meant as "never" to what Node can hold', () => {
    const config = configOf([
      '--raft.snapshot-threshold=18446744073709551615',
      '--raft.snapshot-interval=10000h',
      '--healthcheck.interval=99999999',
    ]);
    expect(config.raft.snapshotThresholdEntries).toBe(Number.MAX_SAFE_INTEGER);
    expect(config.raft.snapshotIntervalMs).toBe(2 ** 31 - 1);
    expect(config.health.intervalMs).toBe(2 ** 31 - 1);
  });
});

describe('notYetEffective', () => {
  it('names what was set and does nothing, and nothing else', () => {
    const argv =
      '--raft.compress-payload --metrics.enabled=false --metrics.port=7300 --rpc.port=8547 --raft.bootstrap';
    const config = configOf(argv.split(' '), {
      OP_CONDUCTOR_PPROF_ENABLED: 'true',
      OP_CONDUCTOR_ROLLUPBOOST_WS_URL: '',
    });
    expect(notYetEffective(config)).toEqual(['pprof.enabled', 'raft.compress-payload']);
    expect(notYetEffective(configOf())).toEqual([]);
  });
});

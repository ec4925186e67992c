import { describe, expect, it } from '@jest/globals';
import { notYetEffective } from './config.js';
import { variableName } from './flag-table.js';
import { parseConfig } from './parse-config.js';
import { configOf, parsed, problemsOf, required, requiredArguments } from './testing/command-line.js';
import { flagCases } from './testing/flag-cases.js';

describe('command line', () => {
  it('takes the last of repeated flags', () => {
    expect(configOf(['--raft.server.id=x', '-raft.server.id', 'y']).raft.serverId).toBe('y');
  });

  it('takes the next flag as the value of a flag that needs one, as Go does', () => {
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

  it.each([
    ['--verison', 'did you mean --version?'],
    ['-raft.server-id', 'did you mean --raft.server.id?'],
    ['--zzzzzzzzzz', 'see --help for all flags'],
  ])('18: reports only %j if nothing is set', (argument, remedy) => {
    expect(problemsOf([argument])).toEqual([
      `flag provided but not defined: -${argument.replace(/^-+/, '')}: ${remedy}`,
    ]);
    // If anything is set, all problems are reported.
    expect(problemsOf([argument, '--log.level', 'info']).length).toBeGreaterThan(5);
    expect(problemsOf([argument], { OP_CONDUCTOR_LOG_LEVEL: 'info' }).length).toBeGreaterThan(5);
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

  it.each([['--help'], ['-h'], ['-help']])('prints the help for %s despite other errors', (argument) => {
    const result = parseConfig([argument, '--nonsense'], { OP_CONDUCTOR_PAUSED: '?' });
    const help = 'help' in result ? result.help : '';
    for (const [name, suffix] of flagCases) {
      expect(help).toContain(`--${name}`);
      expect(help).toContain(`OP_CONDUCTOR_${suffix}`);
    }
    expect(help).toMatch(/--raft\.server\.id <text>\n.*\n\s+\(required, env: OP_CONDUCTOR_RAFT_SERVER_ID\)/);
    expect(help).toMatch(/default: 2m0s/);
    expect(Math.max(...help.split('\n').map((line) => line.length))).toBeLessThanOrEqual(110);
  });

  it.each([['--version'], ['-v']])('prints the version for %s', (argument) => {
    expect(parseConfig([argument], {})).toEqual({ version: true });
  });
});

describe('environment', () => {
  it('can hold all settings', () => {
    const env = Object.fromEntries(
      Object.entries(required).map(([name, value]) => [variableName(name), value]),
    );
    expect(parsed([], env).config.raft.serverId).toBe('sequencer-0');
  });

  it('warns about unknown variables with the prefix, and no others', () => {
    const { warnings } = parsed(requiredArguments, {
      OP_CONDUCTOR_RAFT_SERVERID: 'x',
      OP_NODE_FOO: '1',
      PATH: '/',
    });
    expect(warnings).toEqual(['Unknown env var OP_CONDUCTOR_RAFT_SERVERID: it has no effect']);
  });

  it('treats an empty variable as Go does: false, an empty text, or not set', () => {
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

  it('cuts values that mean "never" to what Node can hold', () => {
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
  it('lists exactly the settings without effect', () => {
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

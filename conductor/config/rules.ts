import { endpointProblem, HTTP, WEBSOCKET } from '../../common/endpoint.js';
import { configProblem, type ConfigProblem, type Rule } from './config-error.js';
import type { FlagName, FlagValues } from './flag-table.js';
import { formatGoDuration } from './go-duration.js';
import { isWildcard, parseHostPort } from './host-port.js';
import { peerRules } from './peer-rules.js';
import { portClashes } from './port-clashes.js';
import { raftTimes } from './raft-times.js';
import { rpcAccessRules } from './rpc-access-rules.js';
import { securityRules } from './security-rules.js';
import { unlessWitness, witnessRules } from './witness-rules.js';

/** Limits of hashicorp/raft, which refuses to start below them. */
const SHORTEST_RAFT_TIME_MS = 5;

const rules: readonly Rule[] = [
  empty('consensus.addr', 'missing consensus address', 'give a host name or address'),
  badPort('consensus.port', 'invalid RPC port'),
  empty('raft.server.id', 'missing raft server ID', 'give an id that no other conductor has'),
  {
    flags: ['raft.server.id'],
    violated: (values) => /[/\\\0]|^\.\.?$/.test(values['raft.server.id']),
    text: 'raft server ID is not a valid folder name',
    remedy: 'use an id without slashes that is not "." or ".."',
  },
  {
    flags: ['raft.server.id'],
    // The length in a frame has one byte, and so has the length of a folder's name in file systems.
    violated: (values) => Buffer.byteLength(values['raft.server.id']) > 255,
    text: 'raft server ID is too long',
    remedy: 'use an id of at most 255 bytes',
  },
  empty('raft.storage.dir', 'missing raft storage directory', 'give a folder on a local disk'),
  unlessWitness(empty('node.rpc', 'missing node RPC', "give op-node's URL")),
  badUrl('node.rpc', 'invalid node RPC'),
  unlessWitness(empty('execution.rpc', 'missing geth RPC', "give the execution client's URL")),
  badUrl('execution.rpc', 'invalid geth RPC'),
  {
    flags: ['consensus.advertised'],
    violated: (values) => {
      const address = parseHostPort(values['consensus.advertised']);
      return values['consensus.advertised'] !== '' && (address === null || isWildcard(address.host));
    },
    text: 'failed to resolve advertised TCP address',
    remedy: 'give host:port as the other conductors can reach it',
  },
  {
    flags: ['consensus.advertised', 'consensus.addr', 'raft.peers'],
    violated: (values) =>
      values['consensus.advertised'] === '' &&
      values['raft.peers'].length === 0 &&
      isWildcard(values['consensus.addr']),
    text: 'local bind address is not advertisable',
    remedy: 'listening on all interfaces needs an advertised host:port',
  },
  {
    flags: ['rollup-boost.enabled', 'rollup-boost.next-enabled'],
    violated: (values) => values['rollup-boost.enabled'] && values['rollup-boost.next-enabled'],
    text: 'only one of rollup-boost or rollup-boost next healthchecks can be enabled',
    remedy: 'disable one of them',
  },
  {
    flags: ['rollup-boost.next-healthcheck-url', 'rollup-boost.next-enabled'],
    violated: (values) =>
      values['rollup-boost.next-enabled'] && values['rollup-boost.next-healthcheck-url'] === '',
    text: 'missing rollup-boost next healthcheck URL',
    remedy: 'give the URL, or disable the check',
  },
  // op-conductor does not validate the URL of a disabled check.
  onlyIf(
    'rollup-boost.next-enabled',
    badUrl('rollup-boost.next-healthcheck-url', 'invalid rollup-boost next healthcheck URL'),
  ),
  badUrl('history.webhook', 'invalid webhook of the history'),
  badUrl('rollupboost.ws-url', 'invalid rollup-boost WebSocket URL', WEBSOCKET),
  health(
    'healthcheck.interval',
    (values) => values['healthcheck.interval'] === 0,
    'missing health check interval',
  ),
  health(
    'healthcheck.safe-interval',
    (values) => values['healthcheck.safe-interval'] === 0,
    'missing safe interval',
  ),
  health(
    'healthcheck.min-peer-count',
    (values) => values['healthcheck.min-peer-count'] === 0,
    'missing minimum peer count',
  ),
  executionP2p(
    'healthcheck.execution-p2p-min-peer-count',
    (values) => values['healthcheck.execution-p2p-min-peer-count'] === 0,
    'missing minimum el p2p peers',
    'give a number greater than 0',
  ),
  executionP2p(
    'healthcheck.execution-p2p-check-api',
    (values) => !['', 'net', 'admin'].includes(values['healthcheck.execution-p2p-check-api']),
    'invalid el p2p check api',
    'use net or admin',
  ),
  onlyIf(
    'healthcheck.execution-p2p-enabled',
    badUrl('healthcheck.execution-p2p-rpc-url', 'invalid el p2p rpc'),
  ),
  {
    flags: [
      'healthcheck.rollup-boost-partial-healthiness-tolerance-limit',
      'healthcheck.rollup-boost-partial-healthiness-tolerance-interval-seconds',
    ],
    violated: (values) =>
      (values['healthcheck.rollup-boost-partial-healthiness-tolerance-limit'] === 0) !==
      (values['healthcheck.rollup-boost-partial-healthiness-tolerance-interval-seconds'] === 0),
    text:
      'invalid health check config: only one of RollupBoostPartialHealthinessToleranceLimit or ' +
      'RollupBoostPartialHealthinessToleranceIntervalSeconds found to be defined',
    remedy: 'set both or neither',
  },
  positive('healthcheck.timeout'),
  badPort('rpc.port', 'invalid rpc config: invalid RPC port'),
  {
    flags: ['rpc.body-limit-mb'],
    violated: (values) => values['rpc.body-limit-mb'] < 1 || values['rpc.body-limit-mb'] > 256,
    text: 'invalid rpc config: body limit out of range',
    remedy: 'use 1 to 256 (MiB)',
  },
  onlyIf('metrics.enabled', badPort('metrics.port', 'invalid metrics config: invalid metrics port')),
  onlyIf('pprof.enabled', badPort('pprof.port', 'invalid pprof config: invalid pprof port')),
  badPort('websocket.server-port', 'invalid websocket server port'),
  tooShort('raft.heartbeat-timeout', 'HeartbeatTimeout is too low'),
  tooShort('raft.lease-timeout', 'LeaderLeaseTimeout is too low'),
  tooShort('raft.snapshot-interval', 'SnapshotInterval is too low'),
  {
    flags: ['raft.lease-timeout', 'raft.heartbeat-timeout'],
    violated: (values) =>
      !hasTooShortTime(values) && raftTimes(values).leaseTimeoutMs > raftTimes(values).electionTimeoutMs,
    text: (values) => {
      const { leaseTimeoutMs, electionTimeoutMs } = raftTimes(values);
      const [lease, heartbeat] = [formatGoDuration(leaseTimeoutMs), formatGoDuration(electionTimeoutMs)];
      return `failed to create raft: LeaderLeaseTimeout (${lease}) cannot be larger than heartbeat timeout (${heartbeat})`;
    },
    remedy: 'shorten the lease timeout or lengthen the heartbeat timeout',
  },
  {
    flags: ['raft.heartbeat-interval', 'raft.lease-timeout', 'raft.heartbeat-timeout'],
    violated: (values) => {
      const { heartbeatIntervalMs, leaseTimeoutMs } = raftTimes(values);
      return !hasTooShortTime(values) && (heartbeatIntervalMs < 1 || heartbeatIntervalMs >= leaseTimeoutMs);
    },
    text: 'heartbeat interval out of range',
    remedy: 'use at least 1ms and less than both timeouts, a sixth of them is good',
  },
  {
    flags: ['raft.priority'],
    violated: (values) => values['raft.priority'] > 1000,
    text: 'raft.priority is too large',
    remedy: 'use 0 to 1000; only the order of the nodes counts',
  },
  {
    flags: ['raft.hand-back'],
    violated: (values) => values['raft.hand-back'] !== null && values['raft.hand-back'] < 1000,
    text: 'raft.hand-back is too short',
    remedy: 'use at least 1s, better some minutes; leave it out to keep leadership where it is',
  },
  {
    flags: ['raft.retention-mb'],
    violated: (values) => values['raft.retention-mb'] < 1,
    text: 'raft.retention-mb is 0',
    remedy: 'use at least 1',
  },
  positive('shutdown-timeout'),
  ...peerRules,
  ...witnessRules,
  ...securityRules,
  ...rpcAccessRules,
];

/**
 * Lists everything that is wrong with the values.
 *
 * @param unknown flags whose value could not be read; rules about them are skipped
 */
export function brokenRules(values: FlagValues, unknown: ReadonlySet<FlagName>): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const told = (part: Rule['text']): string => (typeof part === 'string' ? part : part(values));
  for (const { flags, violated, text, remedy } of [...rules, ...portClashes]) {
    if (flags.some((name) => unknown.has(name)) || !violated(values)) continue;
    problems.push(
      configProblem(
        flags,
        `failed to setup: failed to create conductor: invalid config: ${told(text)}`,
        told(remedy),
      ),
    );
  }
  return problems;
}

function empty(flag: FlagName, text: string, remedy: string): Rule {
  return { flags: [flag], violated: (values) => values[flag] === '', text, remedy };
}

function badPort(flag: FlagName, text: string): Rule {
  return {
    flags: [flag],
    violated: (values) => {
      const port = values[flag] as number;
      return port < 0 || port > 65_535;
    },
    text,
    remedy: 'use 0 to 65535',
  };
}

function badUrl(flag: FlagName, text: string, protocols = HTTP): Rule {
  const problem = (values: FlagValues): string | undefined => {
    const url = values[flag] as string | null;
    return url === null || url === '' ? undefined : endpointProblem(url, protocols);
  };
  return {
    flags: [flag],
    violated: (values) => problem(values) !== undefined,
    text,
    remedy: (values) => problem(values) ?? '',
  };
}

function health(flag: FlagName, violated: Rule['violated'], text: string): Rule {
  return unlessWitness({
    flags: [flag],
    violated,
    text: `invalid health check config: ${text}`,
    remedy: 'give a number greater than 0',
  });
}

function executionP2p(flag: FlagName, violated: Rule['violated'], text: string, remedy: string): Rule {
  return onlyIf('healthcheck.execution-p2p-enabled', {
    flags: [flag],
    violated,
    text: `invalid health check config: ${text}`,
    remedy,
  });
}

/** A rule about a setting that only matters if a switch is on. */
function onlyIf(
  switchFlag:
    'healthcheck.execution-p2p-enabled' | 'rollup-boost.next-enabled' | 'metrics.enabled' | 'pprof.enabled',
  rule: Rule,
): Rule {
  return {
    ...rule,
    flags: [...rule.flags, switchFlag],
    violated: (values) => values[switchFlag] && rule.violated(values),
  };
}

function tooShort(
  flag: 'raft.heartbeat-timeout' | 'raft.lease-timeout' | 'raft.snapshot-interval',
  text: string,
): Rule {
  return {
    flags: [flag],
    violated: (values) => isTooShort(values[flag]),
    text: `failed to create raft: ${text}`,
    remedy: `use at least ${SHORTEST_RAFT_TIME_MS}ms`,
  };
}

function isTooShort(raftTimeMs: number | null): boolean {
  return raftTimeMs !== null && raftTimeMs < SHORTEST_RAFT_TIME_MS;
}

/** Rules about how times fit together would only repeat it. */
function hasTooShortTime(values: FlagValues): boolean {
  return isTooShort(values['raft.heartbeat-timeout']) || isTooShort(values['raft.lease-timeout']);
}

function positive(flag: 'healthcheck.timeout' | 'shutdown-timeout'): Rule {
  return {
    flags: [flag],
    violated: (values) => values[flag] <= 0,
    text: `${flag} is not longer than 0`,
    remedy: 'give a duration such as 1s',
  };
}

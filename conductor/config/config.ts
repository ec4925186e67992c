import { MIB } from '../../common/bytes.js';
import { flagNames, flags, type Flag, type FlagName, type FlagValues } from './flag-table.js';
import { absolute } from './folders.js';
import { withoutBrackets } from './host-port.js';
import { parseLocalAddress } from './local-address.js';
import { ownPeer } from './peer-rules.js';
import { raftTimes } from './raft-times.js';
import { LONGEST_TIMER_MS, type RaftPeer } from './value-types.js';

type DeepReadonly<T> = { readonly [K in keyof T]: T[K] extends object ? DeepReadonly<T[K]> : T[K] };

/** The checked configuration: plain data, grouped by where it is used, with units in the names. */
export type Config = DeepReadonly<ReturnType<typeof buildConfig>>;

/** Groups checked values, and converts them to the units that the code uses. */
export function buildConfig(values: FlagValues, explicit: Partial<FlagValues>) {
  const peers: RaftPeer[] = values['raft.peers'];
  return {
    /** Start with the control loop paused. */
    paused: values.paused,
    /** A voting member without a node: `node`, `execution` and `health` are not used. */
    witness: values.witness,
    shutdownTimeoutMs: values['shutdown-timeout'],
    consensus: {
      listenHost: withoutBrackets(values['consensus.addr']),
      /** 0: chosen by the system. */
      listenPort: values['consensus.port'],
      /** `host:port` for the other members; null: the address that this node listens on. */
      advertisedAddr: values['consensus.advertised'] || (ownPeer(values)?.addr ?? null),
      security: consensusSecurity(values),
    },
    raft: {
      serverId: values['raft.server.id'],
      storageDir: absolute(values['raft.storage.dir']),
      bootstrap: values['raft.bootstrap'],
      /** Preference as leader among equally fit nodes; greater is better. */
      priority: values['raft.priority'],
      /** Leadership returns to a member of greater priority. */
      handBack: { afterMs: values['raft.hand-back'], intervalMs: values['raft.hand-back-interval'] },
      crashEvidence: values['raft.crash-evidence'],
      /** Empty: no static formation. */
      peers,
      timing: raftTimes(values),
      snapshotIntervalMs: values['raft.snapshot-interval'],
      snapshotThresholdEntries: values['raft.snapshot-threshold'],
      trailingEntries: values['raft.trailing-logs'],
      retentionBytes: values['raft.retention-mb'] * MIB,
      roundRobinLeaderTransfer: values['raft.round-robin-leader-transfer'],
      storageBackend: values['raft.storage.backend'],
      compressPayload: values['raft.compress-payload'],
    },
    node: { rpcUrl: values['node.rpc'] },
    execution: { rpcUrl: values['execution.rpc'] },
    health: {
      intervalMs: Math.min(values['healthcheck.interval'] * 1000, LONGEST_TIMER_MS),
      probeTimeoutMs: values['healthcheck.timeout'],
      unsafeIntervalSeconds: values['healthcheck.unsafe-interval'],
      minPeerCount: values['healthcheck.min-peer-count'],
      safe: {
        enabled: values['healthcheck.safe-enabled'],
        intervalSeconds: values['healthcheck.safe-interval'],
      },
      executionP2p: {
        enabled: values['healthcheck.execution-p2p-enabled'],
        minPeerCount: values['healthcheck.execution-p2p-min-peer-count'],
        // Empty ones mean the defaults, as in op-conductor.
        rpcUrl: values['healthcheck.execution-p2p-rpc-url'] || values['execution.rpc'],
        checkApi: (values['healthcheck.execution-p2p-check-api'] || 'net') as 'net' | 'admin',
      },
    },
    rollupBoost: {
      enabled: values['rollup-boost.enabled'],
      nextEnabled: values['rollup-boost.next-enabled'],
      nextHealthcheckUrl: values['rollup-boost.next-healthcheck-url'],
      healthcheckTimeoutMs: rollupBoostTimeoutMs(values),
      /** 0: no partial result is tolerated. */
      partialToleranceLimit: values['healthcheck.rollup-boost-partial-healthiness-tolerance-limit'],
      partialToleranceIntervalSeconds:
        values['healthcheck.rollup-boost-partial-healthiness-tolerance-interval-seconds'],
    },
    flashblocks: {
      /** Empty: off. */
      upstreamUrl: values['rollupboost.ws-url'],
      listenHost: withoutBrackets(values['websocket.server-addr']),
      listenPort: values['websocket.server-port'],
      compression: values['websocket.compression'],
      tls: { cert: absolute(values['websocket.tls.cert']), key: absolute(values['websocket.tls.key']) },
    },
    rpc: {
      listenHost: withoutBrackets(values['rpc.addr']),
      listenPort: values['rpc.port'],
      enableAdmin: values['rpc.enable-admin'],
      enableProxy: values['rpc.enable-proxy'],
      bodyLimitBytes: values['rpc.body-limit-mb'] * MIB,
      silentTransfer: values['compat.silent-transfer'],
      /** Empty: callers need no credential. */
      tokenFile: absolute(values['rpc.token-file']),
      anonymousRole: values['rpc.anonymous-role'],
      /** Null: no second port. */
      local: parseLocalAddress(values['rpc.local-addr']),
      /** Paths; an empty one is not given. */
      tls: {
        cert: absolute(values['rpc.tls.cert']),
        key: absolute(values['rpc.tls.key']),
        clientCa: absolute(values['rpc.tls.client-ca']),
      },
    },
    /** Empty: none. */
    history: { webhookUrl: values['history.webhook'] },
    metrics: {
      enabled: values['metrics.enabled'],
      listenHost: withoutBrackets(values['metrics.addr']),
      listenPort: values['metrics.port'],
      tls: { cert: absolute(values['metrics.tls.cert']), key: absolute(values['metrics.tls.key']) },
    },
    pprof: {
      enabled: values['pprof.enabled'],
      listenHost: withoutBrackets(values['pprof.addr']),
      listenPort: values['pprof.port'],
      type: values['pprof.type'],
      path: absolute(values['pprof.path']),
    },
    log: {
      level: values['log.level'],
      format: values['log.format'],
      /** Null: if stdout is a terminal. */
      color: values['log.color'],
      pid: values['log.pid'],
    },
    rollup: {
      network: values.network,
      configPath: absolute(values['rollup.config']),
      /** Activation times in seconds, by fork. */
      overrides: overrides(values),
    },
    /** The settings that were given by flag or variable, with their values. */
    explicit,
  };
}

/** How the other members prove that they are members. */
type ConsensusSecurityConfig =
  | { kind: 'open' }
  | { kind: 'secret'; secretPath: string; acceptsPlain: boolean }
  | { kind: 'certificate'; certPath: string; keyPath: string; caPath: string; acceptsPlain: boolean };

function consensusSecurity(values: FlagValues): ConsensusSecurityConfig {
  const acceptsPlain = values['raft.accept-plain'];
  const secretPath = absolute(values['raft.secret-file']);
  if (secretPath !== '') return { kind: 'secret', secretPath, acceptsPlain };
  if (values['raft.tls.cert'] === '') return { kind: 'open' };
  return {
    kind: 'certificate',
    certPath: absolute(values['raft.tls.cert']),
    keyPath: absolute(values['raft.tls.key']),
    caPath: absolute(values['raft.tls.ca']),
    acceptsPlain,
  };
}

/** In op-conductor, 0 and less mean "none". Here every probe has a deadline: a hung builder would stop the checks. */
function rollupBoostTimeoutMs(values: FlagValues): number {
  const name = 'rollup-boost.healthcheck-timeout';
  return values[name] > 0 ? values[name] : flags[name].byDefault;
}

function overrides(values: FlagValues): Record<string, number> {
  const prefix = 'override.';
  const given = flagNames.filter((name) => name.startsWith(prefix) && values[name] !== null);
  return Object.fromEntries(given.map((name) => [name.slice(prefix.length), values[name] as number]));
}

/** Flags that were set, and not to "off" (false or empty), but have no effect in this version. */
export function notYetEffective({ explicit }: Pick<Config, 'explicit'>): FlagName[] {
  return flagNames.filter((name) => {
    const value = explicit[name];
    const isOff = value === undefined || value === false || value === '';
    return (flags[name] as Flag<unknown, null>).notYetEffective === true && !isOff;
  });
}

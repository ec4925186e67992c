import {
  boolean,
  choice,
  duration,
  logLevel,
  peerList,
  port,
  text,
  uint,
  type RaftPeer,
  type ValueType,
} from './value-types.js';

/** One setting: a flag and, with the same meaning, an environment variable. */
export interface Flag<T, D extends T | null> {
  group: FlagGroup;
  type: ValueType<T>;
  /** Null: no value, or one that depends on other settings. */
  byDefault: D;
  /**
   * Must be given by flag or variable, even if a default exists (as in op-conductor). `with-node`: by all except a
   * witness.
   */
  required?: true | 'with-node';
  /** Another name of the flag; its variable is accepted too. */
  alias?: string;
  /** Accepted and checked, but without effect in this version. */
  notYetEffective?: true;
  usage: string;
  /** For the help, if the default is not a constant. */
  defaultText?: string;
}

type FlagGroup =
  | 'Consensus'
  | 'Raft'
  | 'Op-node and execution client'
  | 'Health'
  | 'RPC'
  | 'Control'
  | 'Rollup-boost and flashblocks'
  | 'Logging'
  | 'Metrics and profiling'
  | 'Rollup (accepted; Baton does not need to know the chain)';

function flag<T, const D extends T | null>(definition: Flag<T, D>): Flag<T, D> {
  return definition;
}

function override(fork: string): Flag<number, null> {
  return flag({
    group: 'Rollup (accepted; Baton does not need to know the chain)',
    type: uint,
    byDefault: null,
    usage: `activation time of ${fork}`,
  });
}

const path: ValueType<string> = { ...text, placeholder: 'file' };

const noPeers: readonly RaftPeer[] = [];

/**
 * Every flag: op-conductor's with its names, defaults and required-ness (docs/reference/op-conductor.md §1), then Baton's own.
 * Where a default differs from op-conductor's, a comment says why.
 */
export const flags = {
  // The required ones come first, in the order in which op-conductor asks for them.
  'consensus.addr': flag({
    group: 'Consensus',
    type: text,
    byDefault: '127.0.0.1',
    required: true,
    usage: 'host to listen on for the other conductors, without port',
  }),
  'consensus.port': flag({
    group: 'Consensus',
    type: port,
    byDefault: 50050,
    required: true,
    usage: 'port to listen on for the other conductors; 0 lets the system choose',
  }),
  'raft.server.id': flag({
    group: 'Raft',
    type: text,
    byDefault: '',
    required: true,
    usage: "this node's unique id; also the name of its folder in raft.storage.dir",
  }),
  'raft.storage.dir': flag({
    group: 'Raft',
    type: text,
    byDefault: '',
    required: true,
    usage: "folder that holds this node's data folder",
  }),
  'node.rpc': flag({
    group: 'Op-node and execution client',
    type: text,
    byDefault: '',
    required: 'with-node',
    usage: "op-node's HTTP RPC, with the admin API enabled",
  }),
  'execution.rpc': flag({
    group: 'Op-node and execution client',
    type: text,
    byDefault: '',
    required: 'with-node',
    usage: "the execution client's HTTP RPC",
  }),
  'healthcheck.interval': flag({
    group: 'Health',
    type: uint,
    byDefault: 0,
    required: 'with-node',
    usage: 'seconds between health checks',
  }),
  'healthcheck.unsafe-interval': flag({
    group: 'Health',
    type: uint,
    byDefault: 0,
    required: 'with-node',
    usage: 'allowed age of the unsafe head, in seconds',
  }),
  'healthcheck.min-peer-count': flag({
    group: 'Health',
    type: uint,
    byDefault: 0,
    required: 'with-node',
    usage: 'connected op-node peers below which the node is unhealthy',
  }),

  'consensus.advertised': flag({
    group: 'Consensus',
    type: text,
    byDefault: '',
    defaultText: "this node's entry in raft.peers, or the listening address",
    usage:
      'host:port that the other conductors reach this one at; names are resolved again for each connection',
  }),
  'raft.bootstrap': flag({
    group: 'Raft',
    type: boolean,
    byDefault: false,
    usage:
      'form a new cluster of this node alone, paused; no effect if there is data already. Remove it afterwards: on an empty disk it would found a second cluster',
  }),
  'raft.snapshot-interval': flag({
    group: 'Raft',
    type: duration,
    byDefault: 120_000,
    notYetEffective: true,
    usage: 'how often to check whether a snapshot is needed',
  }),
  'raft.snapshot-threshold': flag({
    group: 'Raft',
    type: uint,
    byDefault: 8192,
    usage: 'log entries since the last snapshot that trigger the next',
  }),
  'raft.trailing-logs': flag({
    group: 'Raft',
    type: uint,
    byDefault: 10240,
    usage: 'log entries kept after a snapshot',
  }),
  // op-conductor has 1s: a failover takes 2 s and more there, mostly because of this wait.
  'raft.heartbeat-timeout': flag({
    group: 'Raft',
    type: duration,
    byDefault: null,
    defaultText: 'by raft.timing-profile (300ms), or raft.lease-timeout if that is longer',
    usage: 'silence of the leader after which a follower stands for election (once to twice this, at random)',
  }),
  // op-conductor has 500ms; half of the heartbeat timeout flaps on loaded hosts (op-conductor #22924).
  'raft.lease-timeout': flag({
    group: 'Raft',
    type: duration,
    byDefault: null,
    defaultText: 'raft.heartbeat-timeout, or by raft.timing-profile (290ms)',
    usage:
      'a leader that has not heard of a majority for this long steps down; at most raft.heartbeat-timeout',
  }),
  'raft.round-robin-leader-transfer': flag({
    group: 'Raft',
    type: boolean,
    byDefault: false,
    usage: 'pass leadership on in the order of ids; must be the same on all nodes',
  }),
  paused: flag({
    group: 'Control',
    type: boolean,
    byDefault: false,
    usage: 'start with the control loop paused',
  }),
  'rpc.enable-proxy': flag({
    group: 'RPC',
    type: boolean,
    byDefault: true,
    usage:
      'pass some eth, optimism and admin calls on to the local node while it leads, and miner_setMaxDASize always',
  }),
  'healthcheck.safe-enabled': flag({
    group: 'Health',
    type: boolean,
    byDefault: false,
    usage: 'check the age of the safe head',
  }),
  'healthcheck.safe-interval': flag({
    group: 'Health',
    type: uint,
    byDefault: 1200,
    usage: 'allowed age of the safe head, in seconds',
  }),
  'healthcheck.execution-p2p-enabled': flag({
    group: 'Health',
    type: boolean,
    byDefault: false,
    usage: 'check the peers of the execution client',
  }),
  'healthcheck.execution-p2p-min-peer-count': flag({
    group: 'Health',
    type: uint,
    byDefault: 0,
    usage: 'execution client peers below which the node is unhealthy',
  }),
  'healthcheck.execution-p2p-rpc-url': flag({
    group: 'Health',
    type: text,
    byDefault: '',
    defaultText: 'execution.rpc',
    usage: 'RPC that is asked for the peers of the execution client',
  }),
  'healthcheck.execution-p2p-check-api': flag({
    group: 'Health',
    type: { ...text, placeholder: 'net|admin' },
    byDefault: 'net',
    usage: 'method that counts them: net_peerCount or admin_peers',
  }),
  'healthcheck.rollup-boost-partial-healthiness-tolerance-limit': flag({
    group: 'Health',
    type: uint,
    byDefault: 0,
    usage: 'partially healthy results of rollup-boost that are tolerated per window',
  }),
  'healthcheck.rollup-boost-partial-healthiness-tolerance-interval-seconds': flag({
    group: 'Health',
    type: uint,
    byDefault: 0,
    usage: 'length of that window, in seconds',
  }),
  'rollup-boost.enabled': flag({
    group: 'Rollup-boost and flashblocks',
    type: boolean,
    byDefault: false,
    usage: 'check rollup-boost by the status code of execution.rpc/healthz',
  }),
  'rollup-boost.healthcheck-timeout': flag({
    group: 'Rollup-boost and flashblocks',
    type: duration,
    byDefault: 5_000,
    usage: 'deadline of the rollup-boost check',
  }),
  'rollup-boost.next-enabled': flag({
    group: 'Rollup-boost and flashblocks',
    type: boolean,
    byDefault: false,
    usage: 'check rollup-boost by its JSON health report',
  }),
  'rollup-boost.next-healthcheck-url': flag({
    group: 'Rollup-boost and flashblocks',
    type: text,
    byDefault: '',
    usage: 'URL of that report',
  }),
  'rollupboost.ws-url': flag({
    group: 'Rollup-boost and flashblocks',
    type: text,
    byDefault: '',
    usage: 'WebSocket that brings flashblocks; enables the WebSocket server',
  }),
  'websocket.server-port': flag({
    group: 'Rollup-boost and flashblocks',
    type: port,
    byDefault: 8546,
    usage: 'port of the WebSocket server, which answers on /ws',
  }),

  'rpc.addr': flag({
    group: 'RPC',
    type: text,
    byDefault: '0.0.0.0',
    usage: 'host to listen on for JSON-RPC',
  }),
  'rpc.port': flag({
    group: 'RPC',
    type: port,
    byDefault: 8545,
    usage: 'port to listen on for JSON-RPC; op-node looks for its conductor at 8547 unless told',
  }),
  'rpc.enable-admin': flag({
    group: 'RPC',
    type: boolean,
    byDefault: false,
    usage: 'accepted and ignored, as by op-conductor: the conductor_ methods are always on',
  }),
  'log.level': flag({
    group: 'Logging',
    type: logLevel,
    byDefault: 'info',
    usage: 'lowest level that is logged',
  }),
  'log.format': flag({
    group: 'Logging',
    type: choice('text', 'terminal', 'logfmt', 'logfmtms', 'json', 'jsonms'),
    byDefault: 'json',
    usage: 'format of log lines',
  }),
  'log.color': flag({
    group: 'Logging',
    type: boolean,
    byDefault: null,
    defaultText: 'true if stdout is a terminal',
    usage: 'colour log lines',
  }),
  'log.pid': flag({
    group: 'Logging',
    type: boolean,
    byDefault: false,
    usage: 'add the process id to log lines',
  }),
  'metrics.enabled': flag({
    group: 'Metrics and profiling',
    type: boolean,
    byDefault: false,
    usage: 'serve Prometheus metrics',
  }),
  'metrics.addr': flag({
    group: 'Metrics and profiling',
    type: text,
    byDefault: '0.0.0.0',
    usage: 'host to listen on for metrics',
  }),
  'metrics.port': flag({
    group: 'Metrics and profiling',
    type: port,
    byDefault: 7300,
    usage: 'port to listen on for metrics',
  }),
  'pprof.enabled': flag({
    group: 'Metrics and profiling',
    type: boolean,
    byDefault: false,
    notYetEffective: true,
    usage: 'accepted for op-conductor, which has no profile server either',
  }),
  'pprof.addr': flag({
    group: 'Metrics and profiling',
    type: text,
    byDefault: '0.0.0.0',
    notYetEffective: true,
    usage: 'host to listen on for profiles',
  }),
  'pprof.port': flag({
    group: 'Metrics and profiling',
    type: port,
    byDefault: 6060,
    notYetEffective: true,
    usage: 'port to listen on for profiles',
  }),
  'pprof.type': flag({
    group: 'Metrics and profiling',
    type: choice('', 'cpu', 'heap', 'goroutine', 'threadcreate', 'block', 'mutex', 'allocs'),
    byDefault: '',
    notYetEffective: true,
    usage: 'kind of profile',
  }),
  'pprof.path': flag({
    group: 'Metrics and profiling',
    type: text,
    byDefault: '',
    notYetEffective: true,
    usage: 'file or folder for profiles',
  }),
  network: flag({
    group: 'Rollup (accepted; Baton does not need to know the chain)',
    type: text,
    byDefault: '',
    usage: 'name of a predefined chain',
  }),
  'rollup.config': flag({
    group: 'Rollup (accepted; Baton does not need to know the chain)',
    type: text,
    byDefault: '',
    usage: 'rollup configuration file',
  }),
  'override.canyon': override('canyon'),
  'override.delta': override('delta'),
  'override.ecotone': override('ecotone'),
  'override.fjord': override('fjord'),
  'override.granite': override('granite'),
  'override.holocene': override('holocene'),
  'override.isthmus': override('isthmus'),
  'override.jovian': override('jovian'),
  'override.karst': override('karst'),
  'override.interop': override('interop'),
  'override.pectrablobschedule': override('pectrablobschedule'),

  // From forks of op-conductor, whose command lines stay valid.
  'raft.storage.backend': flag({
    group: 'Raft',
    type: choice('boltdb', 'wal'),
    byDefault: 'boltdb',
    notYetEffective: true,
    usage: 'accepted for forks of op-conductor; Baton has one storage, LevelDB',
  }),
  'raft.compress-payload': flag({
    group: 'Raft',
    type: boolean,
    byDefault: false,
    notYetEffective: true,
    usage: 'accepted for forks of op-conductor; payloads are stored as received',
  }),

  // From versions and branches of op-conductor before or beside the one that Baton follows.
  'supervisor.rpc': flag({
    group: 'Health',
    type: text,
    byDefault: '',
    notYetEffective: true,
    usage: 'accepted for op-conductor up to v1.17; the supervisor is gone',
  }),
  'reorg-recovery.enabled': flag({
    group: 'Control',
    type: boolean,
    byDefault: false,
    notYetEffective: true,
    usage: 'accepted for branches of op-conductor; Baton follows reorgs without it',
  }),
  'execution.ws-url': flag({
    group: 'Op-node and execution client',
    type: text,
    byDefault: '',
    notYetEffective: true,
    usage: 'accepted for branches of op-conductor, which follow reorgs by it',
  }),

  // Baton's own.
  'raft.peers': flag({
    group: 'Raft',
    type: peerList,
    byDefault: noPeers as RaftPeer[],
    defaultText: 'none',
    usage: 'all members of a new cluster, this one included; used only while every one of them is empty',
  }),
  'raft.tls.cert': flag({
    group: 'Consensus',
    type: path,
    byDefault: '',
    usage:
      "this node's certificate as PEM, with the intermediate ones behind it; it names raft.server.id (URI SAN baton:ID, or DNS SAN). Read again when it changes",
  }),
  'raft.tls.key': flag({
    group: 'Consensus',
    type: path,
    byDefault: '',
    usage: 'the private key of that certificate as PEM',
  }),
  'raft.tls.ca': flag({
    group: 'Consensus',
    type: path,
    byDefault: '',
    usage: 'certificates of the authorities that issue those of the members; best one of the cluster alone',
  }),
  'raft.secret-file': flag({
    group: 'Consensus',
    type: path,
    byDefault: '',
    usage:
      'file with a secret that all members share (32 characters or more; openssl rand -hex 32), instead of certificates; while it changes, a second one on the next line',
  }),
  'raft.accept-plain': flag({
    group: 'Consensus',
    type: boolean,
    byDefault: false,
    usage:
      'while a running cluster is being secured: also take plain connections, and make them to members that know no other',
  }),
  'raft.timing-profile': flag({
    group: 'Raft',
    type: choice('lan', 'lan-fast', 'multi-region'),
    byDefault: 'lan',
    usage:
      'timers of a cluster that this node founds (lan-fast 150ms, lan 300ms, multi-region 400ms of silence); an existing cluster keeps its own',
  }),
  'raft.heartbeat-interval': flag({
    group: 'Raft',
    type: duration,
    byDefault: null,
    defaultText:
      'by raft.timing-profile (50ms); beside a timeout a sixth of raft.heartbeat-timeout, at most half of raft.lease-timeout',
    usage: "time between the leader's heartbeats",
  }),
  witness: flag({
    group: 'Raft',
    type: boolean,
    byDefault: false,
    usage:
      'a voting member without a node, for two sequencers and a witness: it keeps the log, and transfers leadership at once',
  }),
  'raft.priority': flag({
    group: 'Raft',
    type: uint,
    byDefault: 0,
    usage: 'preference of this node as leader among equally fit ones (0..1000, higher is better)',
  }),
  'raft.hand-back': flag({
    group: 'Raft',
    type: duration,
    byDefault: null,
    defaultText: 'never',
    usage:
      'leadership returns to a member of higher raft.priority that has been healthy and caught up for this long; set it on all members',
  }),
  'raft.hand-back-interval': flag({
    group: 'Raft',
    type: duration,
    byDefault: 600_000,
    usage: 'a member gives leadership back at most once in this time',
  }),
  'raft.crash-evidence': flag({
    group: 'Raft',
    type: boolean,
    byDefault: true,
    usage:
      'followers of a leader whose process is provably gone (its host refuses connections, or another process answers) do not wait for the heartbeat timeout; turn it off behind proxies that refuse for live nodes',
  }),
  'raft.retention-mb': flag({
    group: 'Raft',
    type: uint,
    byDefault: 128,
    usage: 'MiB of committed blocks kept, to bring lagging nodes up to the head',
  }),
  'rpc.body-limit-mb': flag({
    group: 'RPC',
    type: uint,
    byDefault: 32,
    alias: 'rpc.http-body-limit-mb',
    usage: 'largest request body, in MiB (1..256)',
  }),
  'rpc.token-file': flag({
    group: 'RPC',
    type: text,
    byDefault: '',
    usage:
      'file of the holders of tokens and client certificates and their roles (baton token new); without it everybody who reaches the port may do everything',
  }),
  'rpc.anonymous-role': flag({
    group: 'RPC',
    type: choice('none', 'read'),
    byDefault: 'none',
    usage: 'what those may do who show no credential, beside rpc.token-file',
  }),
  'rpc.local-addr': flag({
    group: 'RPC',
    type: text,
    byDefault: '',
    usage:
      'a second port, 127.0.0.1:8548 or unix:/path, that serves op-node on this machine without a credential; rpc.port then takes no commits',
  }),
  'rpc.tls.cert': flag({
    group: 'RPC',
    type: text,
    byDefault: '',
    usage: 'certificate chain in PEM: rpc.port speaks TLS; read again when it changes',
  }),
  'rpc.tls.key': flag({
    group: 'RPC',
    type: text,
    byDefault: '',
    usage: 'private key of that certificate, in PEM',
  }),
  'rpc.tls.client-ca': flag({
    group: 'RPC',
    type: text,
    byDefault: '',
    usage: 'CA in PEM whose client certificates may be named in rpc.token-file',
  }),
  'metrics.tls.cert': flag({
    group: 'Metrics and profiling',
    type: text,
    byDefault: '',
    usage: 'certificate chain in PEM: metrics.port speaks TLS; read again when it changes',
  }),
  'metrics.tls.key': flag({
    group: 'Metrics and profiling',
    type: text,
    byDefault: '',
    usage: 'private key of that certificate, in PEM',
  }),
  'websocket.tls.cert': flag({
    group: 'Rollup-boost and flashblocks',
    type: text,
    byDefault: '',
    usage: 'certificate chain in PEM: websocket.server-port speaks TLS; read again when it changes',
  }),
  'websocket.tls.key': flag({
    group: 'Rollup-boost and flashblocks',
    type: text,
    byDefault: '',
    usage: 'private key of that certificate, in PEM',
  }),
  'compat.silent-transfer': flag({
    group: 'RPC',
    type: boolean,
    byDefault: false,
    usage:
      'conductor_transferLeader on a node that does not lead succeeds and does nothing, as in op-conductor',
  }),
  'history.webhook': flag({
    group: 'Control',
    type: text,
    byDefault: '',
    usage:
      'URL to which the leader posts each entry of the history as JSON: changes that were asked for, and new leaders (see baton history)',
  }),
  'websocket.server-addr': flag({
    group: 'Rollup-boost and flashblocks',
    type: text,
    byDefault: '0.0.0.0',
    usage: 'host to listen on for WebSockets',
  }),
  'websocket.compression': flag({
    group: 'Rollup-boost and flashblocks',
    type: boolean,
    byDefault: false,
    usage: 'offer permessage-deflate to WebSocket clients: less traffic, much more CPU for each client',
  }),
  'healthcheck.timeout': flag({
    group: 'Health',
    type: duration,
    byDefault: 1_000,
    usage: 'deadline of every health probe',
  }),
  'shutdown-timeout': flag({
    group: 'Control',
    type: duration,
    byDefault: 10_000,
    usage:
      'longest time a graceful stop may take (stop the sequencer, commit its last block, transfer leadership)',
  }),
};

export type FlagName = keyof typeof flags;

/** The value of every flag. */
export type FlagValues = {
  [K in FlagName]: (typeof flags)[K] extends Flag<infer T, infer D> ? T | D : never;
};

export const flagNames = Object.keys(flags) as FlagName[];

const ENV_PREFIX = 'OP_CONDUCTOR_';

/** The environment variable of a flag: `raft.server.id` → `OP_CONDUCTOR_RAFT_SERVER_ID`. */
export function variableName(flagName: string): string {
  return ENV_PREFIX + flagName.toUpperCase().replace(/[.-]/g, '_');
}

/** The names of a flag, its own first. */
export function namesOf(name: FlagName): string[] {
  const { alias } = flags[name] as Flag<unknown, null>;
  return alias === undefined ? [name] : [name, alias];
}

/** Whether a variable belongs to a conductor, known or not. */
export function isConductorVariable(variable: string): boolean {
  return variable.startsWith(ENV_PREFIX);
}

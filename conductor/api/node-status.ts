import type { HealthMonitor } from '../../health/health-monitor.js';
import {
  clusterTimingOf,
  profileOf,
  type ClusterTiming,
  type MeasuredTimes,
  type RaftNode,
} from '../../raft/index.js';
import { Suffrage } from '../../rpc/server/conductor-api.js';
import type { ConductorStatus } from '../../rpc/server/conductor-status.js';
import type { BlockRef } from '../../rpc/payload/block-ref.js';
import type { ChainState, CommittedHead } from '../chain/chain-state.js';
import type { ClusterRecords } from '../chain/cluster-records.js';
import { RECORD_FORMAT } from '../chain/record.js';
import type { Controller } from '../control/controller.js';
import { Fitness, fitnessOf } from '../control/eligibility.js';
import { withNodePoll } from '../control/node-poll-health.js';
import type { LocalNode } from '../control/local-node.js';
import type { Pause, Switches } from '../control/switches.js';

/** Sources of the status, all in memory. */
interface StatusSources {
  raft: Pick<RaftNode<unknown>, 'status'> & {
    readonly identity: { clusterId: string | null; incarnation: string };
    readonly timing: ClusterTiming;
  };
  chain: Pick<ChainState, 'head'>;
  localNode: Pick<LocalNode, 'isAbsent' | 'state' | 'branch' | 'commits' | 'notAsking' | 'override'>;
  health: Pick<HealthMonitor, 'latest'>;
  switches: Switches;
  records: Pick<ClusterRecords, 'maintenance'>;
  controller: Pick<Controller, 'startHeldBy'>;
  /** The doubts of the transport about processes that speak for members. */
  doubted: () => ConductorStatus['doubted'];
  /** Recent measurements; left out of the status if it is left out here, as are the next two. */
  measured?: () => MeasuredTimes;
  machine?: () => ConductorStatus['machine'];
  chainId?: () => number | null;
  version: string;
  /** Undefined before the port is bound. */
  rpcPort: () => number | undefined;
  /** How that port speaks; left out of the status if it is left out here. */
  rpcScheme?: 'http' | 'https';
}

const FITNESS_NAMES = Object.fromEntries(
  Object.entries(Fitness).map(([name, level]) => [level, name]),
) as Record<Fitness, keyof typeof Fitness>;

const NOTHING_TO_CHECK: ConductorStatus['health'] = {
  status: 'healthy',
  summary: 'a witness has no node to check',
  reasons: [],
  checkedAtMs: null,
};

/** The answer of `conductor_status`. */
export function nodeStatus(sources: StatusSources): ConductorStatus {
  const { raft, chain, localNode, switches, version, rpcPort } = sources;
  const status = raft.status();
  const { index, configuration } = status.configuration;
  const servers = configuration.members.map(({ id, address, voter, incarnation }) => ({
    id,
    addr: address,
    suffrage: voter ? Suffrage.voter : Suffrage.nonvoter,
    disk: incarnation,
  }));
  const server = new Map(servers.map((member) => [member.id, member]));
  const leads = status.role === 'leader';
  const node = localNode.state;
  return {
    id: status.id,
    version,
    uptimeMs: Math.round(performance.now()),
    rpcPort: rpcPort() ?? null,
    ...(sources.rpcScheme && { rpcScheme: sources.rpcScheme }),
    clusterId: raft.identity.clusterId,
    disk: raft.identity.incarnation,
    recordFormat: RECORD_FORMAT,
    witness: localNode.isAbsent,
    role: status.role,
    ready: status.ready,
    term: status.term,
    leader:
      status.leader === null ? null : { id: status.leader, addr: server.get(status.leader)?.addr ?? '' },
    transferring: status.transferring,
    leaseRemainingMs: leads ? finite(status.leaseRemainingMs) : null,
    commitIndex: status.commitIndex,
    appliedIndex: status.appliedIndex,
    lastIndex: status.lastIndex,
    snapshotIndex: status.snapshotIndex,
    logBytes: status.logBytes,
    membership: { version: servers.length === 0 ? 0 : index, servers },
    peers: status.peers.map(({ id, state, matchIndex, lastContactMs, eligibility }) => ({
      id,
      addr: server.get(id)?.addr ?? '',
      suffrage: server.get(id)?.suffrage ?? Suffrage.nonvoter,
      state,
      matchIndex,
      lagEntries: Math.max(0, status.lastIndex - matchIndex),
      lastContactMs: Math.max(0, Math.round(lastContactMs)),
      fitness: FITNESS_NAMES[fitnessOf(eligibility)],
    })),
    doubted: sources.doubted(),
    timing: { ...clusterTimingOf(raft.timing), profile: profileOf(raft.timing) ?? null },
    ...(sources.measured && { measured: orNull(sources.measured()) }),
    ...(sources.machine && { machine: sources.machine() }),
    head: chain.head ? headOf(chain.head) : null,
    node: {
      reachable: node.reachable,
      reason: node.reachable ? '' : node.reason,
      head: node.head && blockOf(node.head),
      lagBlocks: chain.head && node.head ? chain.head.number - node.head.number : null,
      sequencerActive: node.sequencerActive,
      branch: localNode.branch.branch,
      leftAt: localNode.branch.leftAt,
      startHeldBy: sources.controller.startHeldBy ?? '',
      ...(sources.chainId && { chainId: sources.chainId() }),
      overriddenSinceMs: localNode.override.sinceMs,
    },
    health: healthStatus(sources),
    active: switches.active,
    paused: switches.paused,
    ...(switches.pause && pauseStatus(switches.pause)),
    maintenance: sources.records.maintenance,
    halt: haltOf(sources),
    stopped: switches.stopped,
    leaderOverridden: switches.leaderOverridden,
  };
}

function healthStatus({ health, localNode }: StatusSources): ConductorStatus['health'] {
  if (localNode.isAbsent) return NOTHING_TO_CHECK;
  const report = withNodePoll(health.latest(), localNode);
  if (!report) return { status: 'unknown', summary: 'not checked yet', reasons: [], checkedAtMs: null };
  const { status, summary, reasons, checkedAtMs } = report;
  return { status, summary, reasons: [...reasons], checkedAtMs };
}

function orNull({
  roundTripMs = null,
  syncMs = null,
  latenessMs = null,
}: { [K in keyof MeasuredTimes]: number | null | undefined }): ConductorStatus['measured'] {
  return { roundTripMs, syncMs, latenessMs };
}

function pauseStatus({ by, sinceMs, untilMs, owner, reason }: Pause): Partial<ConductorStatus> {
  return {
    pausedBy: by,
    pausedSinceMs: sinceMs,
    ...(untilMs !== undefined && { pausedUntilMs: untilMs }),
    ...(owner !== undefined && { pausedOwner: owner }),
    ...(reason !== undefined && { pausedReason: reason }),
  };
}

function haltOf({ records }: StatusSources): ConductorStatus['halt'] {
  const { halt } = records.maintenance;
  return halt && { sinceMs: halt.sinceMs, owner: halt.who.owner ?? '', reason: halt.who.reason ?? '' };
}

/** A lone voter's lease never ends. */
function finite(ms: number): number {
  return Math.round(Math.min(ms, Number.MAX_SAFE_INTEGER));
}

function blockOf({
  number,
  hash,
  parentHash,
  timestamp,
}: BlockRef): NonNullable<ConductorStatus['node']['head']> {
  return { number, hash, parentHash, timestamp };
}

/** After a reset, parent and timestamp may be unknown. */
function headOf({ number, hash, ...rest }: CommittedHead): NonNullable<ConductorStatus['head']> {
  return { number, hash, parentHash: rest.parentHash ?? null, timestamp: rest.timestamp ?? null };
}

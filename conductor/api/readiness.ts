import { withDeadline } from '../../common/deadline.js';
import { Suffrage } from '../../rpc/server/conductor-api.js';
import { conductorStatusSchema, type ConductorStatus } from '../../rpc/server/conductor-status.js';
import { LAG_MAX } from '../verdict/consensus-problems.js';
import type { AskStatus } from './cluster-status.js';

/** Shorter than the time-outs of probes. */
const LEADER_TIMEOUT_MS = 500;
/** The leader is asked no more often than this, however many requests there are. */
const ASK_INTERVAL_MS = 500;

/** A chain that has stopped is old on every node, so a restart of the next node does no further harm. */
const AGES: readonly string[] = ['unsafe-head-old', 'safe-head-old'];

const NO_SEQUENCER = 'this member is a witness: it has no sequencer';

interface ReadinessOptions {
  /** This node's own description. */
  status: () => ConductorStatus;
  askStatus: AskStatus;
}

/**
 * Whether this node could take over now, which a rolling update must know. For a witness: whether it follows with the
 * whole log, so that the cluster can lose another member.
 */
export class Readiness {
  private asked: { leader: string; atMs: number; answer: Promise<string | undefined> } | undefined;

  constructor(private readonly options: ReadinessOptions) {}

  /** Why it could not; undefined if it could, or leads with an active sequencer. Never rejects. */
  async whyNotReady(): Promise<string | undefined> {
    const own = this.options.status();
    const obstacle = ownObstacle(own);
    if (obstacle !== undefined || own.role === 'leader' || own.leader === null) return obstacle;
    return this.obstacleAtLeader(own, own.leader);
  }

  /** Only the leader knows where its log ends: this node may not have received everything yet. */
  private async obstacleAtLeader(
    own: ConductorStatus,
    leader: { id: string; addr: string },
  ): Promise<string | undefined> {
    const nowMs = performance.now();
    if (this.asked?.leader !== leader.id || nowMs - this.asked.atMs > ASK_INTERVAL_MS) {
      this.asked = { leader: leader.id, atMs: nowMs, answer: this.askLeader(own, leader) };
    }
    return this.asked.answer;
  }

  private async askLeader(
    own: ConductorStatus,
    { id, addr }: { id: string; addr: string },
  ): Promise<string | undefined> {
    try {
      const { status } = await withDeadline((signal) => this.options.askStatus(addr, signal), {
        timeoutMs: LEADER_TIMEOUT_MS,
      });
      // A leader of another version, during an update, is ignored: its update must go on.
      const { data } = conductorStatusSchema.safeParse(status);
      return data && seenByLeader(own, data);
    } catch (error) {
      return `the leader ${id} does not answer: ${(error as Error).message}`;
    }
  }
}

/** Why no sequencer is active here under this node's leadership; undefined if one is. */
export function whyNotActiveLeader({
  role,
  leader,
  leaderOverridden,
  node,
  witness,
  halt,
}: ConductorStatus): string | undefined {
  if (witness) return NO_SEQUENCER;
  if (role !== 'leader' && !leaderOverridden) {
    return leader === null ? 'the node knows no leader' : `${leader.id} leads`;
  }
  if (node.sequencerActive === true) return undefined;
  return halt ? 'the cluster is halted' : 'the node leads, but its sequencer is not active';
}

function ownObstacle(own: ConductorStatus): string | undefined {
  return cluster(own) ?? localNode(own) ?? (own.role === 'leader' ? leadership(own) : undefined);
}

function cluster({ id, stopped, membership, leader, paused, pausedBy }: ConductorStatus): string | undefined {
  if (stopped) return 'the conductor is stopped';
  const own = membership.servers.find((server) => server.id === id);
  if (membership.servers.length === 0) return 'the node does not belong to a cluster yet';
  if (own === undefined) return 'the node is not a member of the cluster';
  if (own.suffrage !== Suffrage.voter) return 'the node has no vote';
  if (leader === null) return 'the node knows no leader';
  return paused ? `the conductor is paused (by ${pausedBy ?? 'an operator'})` : undefined;
}

function localNode({ node, health, witness }: ConductorStatus): string | undefined {
  if (witness) return undefined;
  if (!node.reachable) return node.reason;
  if (health.status === 'unknown') return 'the node has not been checked yet';
  const reason = health.reasons.find(
    ({ severity, code }) => severity === 'unhealthy' && !AGES.includes(code),
  );
  return reason?.message ?? behind(node.lagBlocks ?? 0);
}

function leadership(own: ConductorStatus): string | undefined {
  if (!own.ready) return 'its leadership is not complete yet';
  // Nobody sequences, and nodes are updated meanwhile.
  if (own.halt) return undefined;
  if (own.node.startHeldBy !== '') return own.node.startHeldBy;
  return whyNotActiveLeader(own);
}

function seenByLeader(own: ConductorStatus, leader: ConductorStatus): string | undefined {
  const peer = leader.peers.find(({ id }) => id === own.id);
  if (leader.role !== 'leader' || peer === undefined) return `${leader.id} is not the leader of this node`;
  if (peer.state !== 'replicate') return `the leader cannot append to its log yet (${peer.state})`;
  if (peer.lagEntries > LAG_MAX) return `it misses ${peer.lagEntries} entries of the leader's log`;
  return leader.head && own.node.head ? behind(leader.head.number - own.node.head.number) : undefined;
}

function behind(blocks: number): string | undefined {
  return blocks > LAG_MAX ? `the execution client misses ${blocks} committed blocks` : undefined;
}

import type { RaftNode } from '../../raft/index.js';
import type { Successor } from './decide.js';
import { fitnessOf, lagOf } from './eligibility.js';

/** How long a member to which a transfer failed comes after all others. */
const AVOID_MS = 10_000;

interface SuccessionOptions {
  raft: Pick<RaftNode<unknown>, 'nodeId' | 'status'>;
  /** Pass leadership on in the order of ids, among fit members. */
  roundRobin: boolean;
  /** A peer that has not answered for this long is not a successor. */
  peerTimeoutMs: () => number;
}

/** Members that may lead after this node, as the leader sees them. */
export class Succession {
  /** Members to which a transfer failed are tried after all others, until then. */
  private readonly avoidUntilMs = new Map<string, number>();

  constructor(private readonly options: SuccessionOptions) {}

  /** The voters that answer, best first. */
  successors(): Successor[] {
    const now = performance.now();
    const { configuration, peers } = this.options.raft.status();
    const voters = new Set(configuration.configuration.members.filter((m) => m.voter).map((m) => m.id));
    return peers
      .filter((peer) => voters.has(peer.id) && peer.lastContactMs < this.options.peerTimeoutMs())
      .sort((a, b) => (a.rank ?? Infinity) - (b.rank ?? Infinity))
      .map(({ id, eligibility, priority }) => ({
        id,
        priority,
        eligibility,
        fitness: fitnessOf(eligibility),
        lagBlocks: lagOf(eligibility),
        avoided: (this.avoidUntilMs.get(id) ?? 0) > now,
      }));
  }

  /**
   * Best first, unless the operator wants them in turn. A chain that has stopped always goes round: two nodes that are
   * both fit and cannot sequence would hand it to each other forever.
   */
  inOrderOfTrial({ stuck }: { stuck: boolean }): Successor[] {
    const { roundRobin, raft } = this.options;
    const successors = this.successors();
    const order = roundRobin || stuck ? aroundTheRing(raft.nodeId, successors) : successors;
    return [...order.filter(({ avoided }) => !avoided), ...order.filter(({ avoided }) => avoided)];
  }

  /** A transfer to this member has failed. */
  avoid(id: string): void {
    this.avoidUntilMs.set(id, performance.now() + AVOID_MS);
  }
}

/** The others in the order of their ids, around the ring: the one after `self` first, as op-conductor does it. */
export function aroundTheRing<T extends { id: string }>(self: string, others: readonly T[]): T[] {
  const sorted = [...others].sort((a, b) => (a.id < b.id ? -1 : 1));
  const next = sorted.findIndex(({ id }) => id > self);
  return next < 0 ? sorted : [...sorted.slice(next), ...sorted.slice(0, next)];
}

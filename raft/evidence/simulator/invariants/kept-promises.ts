import type { NodeId } from '../../../core/configuration.js';
import type { CoreContext } from '../../../core/context.js';
import type { Input } from '../../../core/inputs.js';
import { isQuorum, quorumsOf } from '../../checks/quorums.js';
import { check } from '../../checks/violation.js';
import type { ObservedNode } from '../observed-node.js';
import type { Evidence, Invariant } from './invariant.js';
import { leasesAreSound } from './lease-disjointness.js';

/** What a follower promised by its answer to a heartbeat: no other node gets its vote before this time of its own clock. */
interface Promise {
  leader: NodeId;
  term: number;
  untilMs: number;
}

/**
 * I15, its foundation (Raft thesis §6.4.1): a follower is loyal for as long as the heartbeats that it answered asked for,
 * even if its own timing differs. A lease rests on a quorum of these promises, even if the timing changes meanwhile.
 */
export function keptPromises({ node: find, options }: Evidence): Invariant {
  const promises = new Map<NodeId, Promise>();

  function checkLoyalty(node: ObservedNode, ctx: CoreContext, input: Input): void {
    const promise = promises.get(node.id);
    if (!promise) return;
    const { leader, term, untilMs } = promise;
    if (ctx.leader === leader && ctx.term === term && input.now < untilMs) {
      // Proof of death ends all loyalty (docs/DIVERGENCE.md). It shows in the next step at the latest.
      if (input.type === 'peerGone') promises.delete(node.id);
      return;
    }
    promises.delete(node.id);
    check(
      input.now >= untilMs || releases(input, term),
      'I15',
      () =>
        `${node.id} leaves ${leader} ${untilMs - input.now} ms before its promise ends, for ${input.type === 'message' ? input.message.type : input.type}`,
    );
  }

  function checkLease(node: ObservedNode, ctx: CoreContext, now: number): void {
    const { leaseRemainingMs } = node.process?.core.status(now) ?? { leaseRemainingMs: 0 };
    if (leaseRemainingMs === 0) return;
    const endsAtMs = node.clock.worldTimeOf(now + leaseRemainingMs);
    const isBound = ({ id }: { id: NodeId }): boolean => {
      const promise = promises.get(id);
      return (
        id === node.id ||
        (promise?.leader === node.id &&
          promise.term === ctx.term &&
          find(id).clock.worldTimeOf(promise.untilMs) >= endsAtMs)
      );
    };
    check(
      isQuorum(quorumsOf(ctx.configurations.latest.configuration), isBound),
      'I15',
      () => `the lease of ${node.id} has ${leaseRemainingMs} ms left, longer than a quorum has promised`,
    );
  }

  const leasesAreChecked = leasesAreSound(options);
  return {
    started: ({ id }) => void promises.delete(id),
    stepped({ node, ctx, input }) {
      checkLoyalty(node, ctx, input);
      if (ctx.role === 'leader') {
        if (leasesAreChecked && mayMoveLease(input)) checkLease(node, ctx, input.now);
        return;
      }
      if (input.type !== 'message' || input.message.type !== 'heartbeat') return;
      const { from, message } = input;
      if (ctx.leader !== from || ctx.term !== message.term) return;
      const known = promises.get(node.id);
      const untilMs = Math.max(known?.untilMs ?? -Infinity, input.now + message.electionTimeoutMs);
      promises.set(node.id, { leader: from, term: ctx.term, untilMs });
    },
  };
}

/** The leader transfers leadership, or another node leads a later term. */
function releases(input: Input, term: number): boolean {
  if (input.type === 'peerGone') return true;
  if (input.type !== 'message') return false;
  const { message } = input;
  switch (message.type) {
    case 'timeoutNow':
      return true;
    case 'vote':
      return message.transferNumber > 0;
    case 'append':
    case 'heartbeat':
    case 'snapshot':
      return message.term > term;
    default:
      return false;
  }
}

const mayMoveLease = ({ type }: Input): boolean =>
  type === 'message' || type === 'setTiming' || type === 'changeMembership' || type === 'tick';

import type { NodeId } from './configuration.js';
import type { CoreContext } from './context.js';
import { restartElectionTimer } from './election-timer.js';

/**
 * Becomes a follower. `leader` is null while unknown. Answers everything that waited for this node's leadership. A
 * successor may still commit the proposals, so their outcome is unknown.
 */
export function becomeFollower(ctx: CoreContext, term: number, leader: NodeId | null, reason: string): void {
  const leadership = ctx.leadership;
  const changed = ctx.role !== 'follower' || ctx.leader !== leader || ctx.term !== term;
  const deposed = term > ctx.term;
  const ownTerm = ctx.term;
  // Within a term the vote stays.
  if (deposed) ctx.setTerm(term, null);
  ctx.role = 'follower';
  ctx.leader = leader;
  ctx.loyaltyWindowMs = ctx.timing.electionTimeoutMs;
  ctx.loyalUntilMs = -Infinity;
  if (leader !== null) ctx.lastLeader = leader;
  ctx.leaderGone = false;
  ctx.campaign = null;
  ctx.leadership = null;
  if (leadership) {
    ctx.lastLeader = ctx.id;
    const { pending, replacementRequest } = leadership;
    const open = [...pending];
    // The joint configuration decides it: the next leader completes the replacement.
    if (replacementRequest !== null) open.push([ctx.configurations.latest.index, replacementRequest]);
    for (const [index, id] of open) {
      const at = { index, term: ownTerm };
      ctx.answer(id, { outcome: 'unknown', reason: `leadership lost: ${reason}`, at });
    }
    for (const read of [...leadership.readsBeforeReady, ...leadership.reads.map((entry) => entry.id)]) {
      ctx.answer(read, { outcome: 'rejected', reason: 'not-leader' });
    }
    for (const { id } of leadership.preparations) ctx.reject(id, 'not-leader');
    const transfer = leadership.transfer;
    if (transfer && transfer.id !== null) {
      // Only a later term shows that another node took over. A leader that gave up knows nothing.
      if (transfer.requestId !== null && deposed) {
        // cover: a transfer is done
        // transfer.test.ts "says done when somebody took over"
        ctx.answer(transfer.id, { outcome: 'done', index: ctx.log.lastIndex, term: ctx.term });
      } else {
        const why = `leadership lost during the transfer: ${reason}`;
        ctx.answer(transfer.id, { outcome: 'unknown', reason: why });
      }
    }
    restartElectionTimer(ctx);
  }
  if (changed) ctx.roleChanged(reason);
}

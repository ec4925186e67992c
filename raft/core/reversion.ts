import type { NodeId } from './configuration.js';
import type { CoreContext } from './context.js';
import type { HeartbeatRequest } from './messages.js';
import type { ReversionProof } from './outputs.js';
import type { Progress } from './progress.js';

/**
 * Within a term, a follower's log up to what it acknowledged never changes, unless its disk lost something. The
 * heartbeat lets the follower notice that itself. It writes this down on its disk before it says so.
 */
export function checkOwnLog(ctx: CoreContext, { acknowledged, commit, logHash }: HeartbeatRequest): void {
  const { log, reverted } = ctx;
  if (reverted) return;
  if (log.lastIndex < acknowledged) return markReverted(ctx, 'shorter', acknowledged);
  const index = Math.max(acknowledged, commit);
  const own = log.hashAt(index);
  // What a snapshot covers is committed and needs no proof.
  if (logHash === undefined || own === undefined || own === logHash) return;
  // cover: a log differs from what was acknowledged
  // reversion.test.ts "knows by the next heartbeat, and commits nothing"
  markReverted(ctx, 'other-entries', index);
}

function markReverted(ctx: CoreContext, proof: ReversionProof, acknowledged: number): void {
  ctx.reverted = true;
  ctx.outbox.hardStateChanged();
  reportReversion(ctx, proof, acknowledged);
}

/** Raises this node's alarm about its own disk. */
export function reportReversion(ctx: CoreContext, proof: ReversionProof, acknowledged: number): void {
  ctx.event({ type: 'reverted', node: ctx.id, proof, acknowledged, found: ctx.log.lastIndex });
}

/**
 * Raises the alarm when a follower, on the same disk, has less than it acknowledged. The lost entries may be the ones that
 * made a commit, so they are never simply sent again. True when the alarm was raised.
 */
export function checkReversion(
  ctx: CoreContext,
  node: NodeId,
  progress: Progress,
  requestId: number,
  lastIndex: number,
): boolean {
  if (!progress.isReversion(requestId, lastIndex)) return false;
  excludeReverted(ctx, node, progress, 'shorter', lastIndex);
  return true;
}

/** From now on nothing that this follower has counts for this leader. */
export function excludeReverted(
  ctx: CoreContext,
  node: NodeId,
  progress: Progress,
  proof: ReversionProof,
  found: number,
): void {
  ctx.event({ type: 'reverted', node, proof, acknowledged: progress.match, found });
  progress.revert();
}

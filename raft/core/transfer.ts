import { hasCaughtUp, whyBehind, whyNoSuccessor } from './catch-up.js';
import type { NodeId } from './configuration.js';
import type { CoreContext } from './context.js';
import type { Leadership, PendingTransfer } from './leadership-state.js';
import type { TimeoutNowResponse } from './messages.js';
import { bestSuccessor } from './succession.js';

/**
 * Begins a transfer (Raft thesis §3.10). First the target catches up while this node leads as usual. Then this node accepts
 * no proposals and has no lease. When the target has the whole log, it is told to stand.
 */
export function onTransfer(ctx: CoreContext, id: number, wanted: NodeId | undefined): void {
  const { leadership } = ctx;
  if (!leadership) return ctx.reject(id, 'not-leader');
  const { transfer } = leadership;
  if (transfer) return ctx.reject(id, 'transfer-in-progress', `a transfer to ${transfer.to} is under way`);
  const to = wanted ?? bestSuccessor(ctx, leadership);
  if (to === undefined) return ctx.reject(id, 'no-such-member', 'cannot find peer');
  const problem = whyNoSuccessor(ctx, leadership, to);
  if (problem) return ctx.reject(id, problem.reason, problem.detail);
  beginTransfer(ctx, leadership, id, to);
}

export function beginTransfer(
  ctx: CoreContext,
  leadership: Leadership,
  id: PendingTransfer['id'],
  to: NodeId,
): void {
  leadership.transfer = {
    id,
    to,
    catchUpTo: ctx.log.lastIndex,
    isClosed: false,
    requestId: null,
    deadlineMs: ctx.now + ctx.timing.transferTimeoutMs,
  };
  advanceTransfer(ctx, leadership);
}

export function onTimeoutNowResponse(
  ctx: CoreContext,
  leadership: Leadership,
  from: NodeId,
  message: TimeoutNowResponse,
): void {
  const { transfer } = leadership;
  // A late answer to an earlier request says nothing about this one.
  if (!transfer || transfer.to !== from || transfer.requestId !== message.requestId) return;
  if (message.accepted) {
    // cover: the target says it takes over
    // transfer.test.ts "does not say done when the target says that it takes over: it may lose its election"
    return;
  }
  endTransfer(ctx, leadership);
  if (transfer.id !== null) ctx.reject(transfer.id, 'transfer-timeout', `${from} refused to take over`);
}

/** Proposals are accepted again. Once TimeoutNow has been sent, the target may still win. */
export function endOverdueTransfer(ctx: CoreContext, leadership: Leadership): void {
  const { transfer } = leadership;
  if (!transfer || ctx.now < transfer.deadlineMs) return;
  endTransfer(ctx, leadership);
  const { id, to, requestId } = transfer;
  if (requestId === null) {
    if (id !== null) ctx.reject(id, 'transfer-timeout', whyBehind(ctx, leadership, to, ctx.log.lastIndex));
    return;
  }
  // cover: a transfer is overdue
  // transfer.test.ts "cannot know the outcome when it has told the target to stand and hears nothing"
  if (id !== null) ctx.answer(id, { outcome: 'unknown', reason: 'leadership transfer timeout' });
}

/**
 * With the next heartbeats, the target stops standing on this transfer and the voters stop voting for it. Until a quorum has
 * answered one of them there is no lease: a follower that votes for the target breaks its promise to this leader.
 */
function endTransfer(ctx: CoreContext, leadership: Leadership): void {
  const { transfer } = leadership;
  if (transfer && transfer.requestId !== null) {
    ctx.endTransfers(ctx.term, ctx.transfersEnded(ctx.term) + 1);
    leadership.leaseCountsFromMs = ctx.now;
    leadership.heartbeatDueMs = ctx.now;
  }
  leadership.transfer = null;
}

/** Tells the target to stand once it has everything. The target checks term, leader and position itself. */
export function advanceTransfer(ctx: CoreContext, leadership: Leadership): void {
  const { transfer } = leadership;
  if (!transfer || transfer.requestId !== null) return;
  const { to, catchUpTo } = transfer;
  if (!transfer.isClosed) {
    if (!hasCaughtUp(leadership, to, catchUpTo)) return;
    // cover: a target has caught up
    // transfer.test.ts "takes proposals until the target has what was in the log, and none after that"
    transfer.isClosed = true;
    transfer.deadlineMs = ctx.now + ctx.timing.transferTimeoutMs;
  }
  if (!hasCaughtUp(leadership, to, ctx.log.lastIndex)) return;
  transfer.requestId = sendTimeoutNow(ctx, to);
}

/** @returns the number of the request */
export function sendTimeoutNow(ctx: CoreContext, to: NodeId): number {
  const requestId = ctx.nextRequestId();
  const transferNumber = ctx.transfersEnded(ctx.term) + 1;
  const { lastIndex, lastTerm } = ctx.log;
  ctx.send(
    to,
    { type: 'timeoutNow', term: ctx.term, requestId, transferNumber, lastIndex, lastTerm },
    'term',
  );
  return requestId;
}

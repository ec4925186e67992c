import { settlePreparations } from './catch-up.js';
import type { NodeId } from './configuration.js';
import type { CoreContext } from './context.js';
import { answerReads, sendHeartbeats, startRead } from './heartbeats.js';
import type { Input } from './inputs.js';
import type { Leadership } from './leadership-state.js';
import { leaveJoint } from './membership.js';
import type { AppendResponse, SnapshotResponse } from './messages.js';
import type { Progress } from './progress.js';
import { quorumValue } from './quorum.js';
import { replicateTo, syncProgress } from './replication.js';
import { checkReversion } from './reversion.js';
import { becomeFollower } from './step-down.js';
import { successors } from './succession.js';
import { advanceTransfer, sendTimeoutNow } from './transfer.js';
import { noteArrival, noteCommit } from './work.js';

/** Counts what the follower now has, or goes back to where the logs may agree. Then sends what comes next. */
export function onAppendResponse(
  ctx: CoreContext,
  leadership: Leadership,
  from: NodeId,
  message: AppendResponse,
): void {
  const progress = leadership.progress.get(from);
  if (!progress || progress.state === 'reverted') return;
  const request = progress.settle(message.requestId);
  if (message.success) {
    acknowledge(ctx, leadership, from, progress, message.matchIndex);
  } else if (request) {
    // A follower that refuses entries right after those it acknowledged has less than it acknowledged.
    const agreesUpTo = message.conflictTerm > 0 ? request.prevIndex - 1 : message.conflictIndex - 1;
    if (checkReversion(ctx, from, progress, message.requestId, agreesUpTo)) return;
    // cover: a refused append is searched back
    // replication.test.ts "looks for the common point by terms, not one by one"
    // Search by term (Raft thesis §3.5): the follower's log can only agree up to where our terms are no greater.
    const hint =
      message.conflictTerm > 0
        ? ctx.log.lastIndexWithTermAtMost(message.conflictTerm, message.conflictIndex) + 1
        : message.conflictIndex;
    progress.probeFrom(Math.max(1, Math.min(hint, progress.next - 1)));
  } else {
    return;
  }
  if (ctx.leadership === leadership) {
    replicateTo(ctx, from, progress);
  }
}

/** The follower has the snapshot: replication continues from there. */
export function onSnapshotResponse(
  ctx: CoreContext,
  leadership: Leadership,
  from: NodeId,
  message: SnapshotResponse,
): void {
  const progress = leadership.progress.get(from);
  if (!progress || progress.state === 'reverted') return;
  // An answer to an earlier term acknowledges nothing.
  if (!progress.settle(message.requestId) && message.matchIndex === 0) return;
  acknowledge(ctx, leadership, from, progress, message.matchIndex);
  if (ctx.leadership === leadership) replicateTo(ctx, from, progress);
}

function acknowledge(
  ctx: CoreContext,
  leadership: Leadership,
  from: NodeId,
  progress: Progress,
  matchIndex: number,
): void {
  const { match } = progress;
  progress.acknowledged(matchIndex, ctx.lastRequestId);
  settlePreparations(ctx, leadership);
  // Before the commit, which may lead to another entry that the target would have to wait for.
  advanceTransfer(ctx, leadership);
  advanceCommit(ctx, leadership);
  if (progress.match > match) noteArrival(ctx, leadership, from, match);
}

/** The follower has received a part of a request. */
export function onProgress(
  ctx: CoreContext,
  leadership: Leadership,
  { to, requestId, bytes }: Input & { type: 'progress' },
): void {
  const progress = leadership.progress.get(to);
  if (progress?.arrived(requestId, bytes, ctx.now)) noteArrival(ctx, leadership, to, progress.match);
}

/**
 * Commits what a quorum has on disk, this node's own disk being one vote among others (also when its own write
 * ends last). Only an entry of its own term decides (Raft thesis §3.6.2).
 */
export function advanceCommit(ctx: CoreContext, leadership: Leadership): void {
  const index = quorumValue(ctx.voters, (id) =>
    id === ctx.id ? ctx.outbox.durableIndex : (leadership.progress.get(id)?.match ?? 0),
  );
  if (index <= ctx.commit || ctx.log.termAt(index) !== ctx.term) return;
  const previous = ctx.commit;
  ctx.commitTo(index);
  noteCommit(ctx, leadership);
  for (let at = previous + 1; at <= index; at++) {
    if (at >= leadership.noopIndex) leadership.uncommittedBytes -= ctx.log.get(at)?.byteLength ?? 0;
    const id = leadership.pending.get(at);
    if (id === undefined) continue;
    leadership.pending.delete(at);
    ctx.answer(id, { outcome: 'done', index: at, term: ctx.term });
  }
  if (!leadership.ready && index >= leadership.noopIndex) {
    leadership.ready = true;
    ctx.event({ type: 'leaderReady', term: ctx.term, index: leadership.noopIndex });
    for (const id of leadership.readsBeforeReady) startRead(ctx, leadership, id);
    leadership.readsBeforeReady = [];
  }
  const configuration = ctx.configurations.latest;
  if (configuration.index > previous && configuration.index <= index)
    onConfigurationCommitted(ctx, leadership);
  if (ctx.leadership === leadership) leaveJoint(ctx, leadership);
}

function onConfigurationCommitted(ctx: CoreContext, leadership: Leadership): void {
  // Removed members hear of the commit before they are forgotten.
  sendHeartbeats(ctx, leadership);
  if (!ctx.isVoter(ctx.id)) {
    // cover: a leader leaves after its removal
    // membership.test.ts "leads on without its own vote until the others have the change …"
    orderSuccession(ctx, leadership);
    becomeFollower(ctx, ctx.term, null, 'no longer a voter of the committed configuration');
    return;
  }
  syncProgress(ctx, leadership);
  // A lone leader gets no answers that could confirm its reads.
  answerReads(ctx, leadership);
}

/** A leader that leaves asks the best voter that has its whole log to take over at once. */
function orderSuccession(ctx: CoreContext, leadership: Leadership): void {
  const { lastIndex } = ctx.log;
  const heir = successors(ctx, leadership).find((id) => leadership.progress.get(id)?.match === lastIndex);
  if (heir !== undefined && !leadership.transfer) sendTimeoutNow(ctx, heir);
}

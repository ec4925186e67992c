import { commitTo } from './commit.js';
import type { CoreContext } from './context.js';
import { becomeFollower } from './follower.js';
import type { Leadership } from './leadership.js';
import { entryOf } from './log.js';
import { leaveJoint } from './membership.js';
import { Progress } from './progress.js';
import { quorumValue } from './quorum.js';
import { successors } from './succession.js';
import { maybeSendTimeoutNow, sendTimeoutNow } from './transfer.js';
import type { AppendResponse, NodeId, SnapshotResponse } from './types.js';

/** A probe looks for the common point of two logs; it carries entries only while they are this small. */
const PROBE_BYTES_MAX = 16 * 1024;

/** The followers to replicate to, after each change of the configuration. */
export function syncProgress(ctx: CoreContext, leadership: Leadership): void {
  const { index, configuration } = ctx.configurations.latest;
  for (const member of configuration.members) {
    // Another disk under an old name has nothing of what the one before acknowledged (bug 40).
    const known = leadership.progress.get(member.id)?.incarnation === member.incarnation;
    if (member.id === ctx.id || known) continue;
    leadership.progress.set(member.id, new Progress(ctx.log.lastIndex + 1, ctx.now, member.incarnation));
  }
  // A removed member is served until its removal is committed, so that it learns of it (bug 39).
  if (index > ctx.commit) return;
  for (const id of leadership.progress.keys()) {
    if (!configuration.members.some((member) => member.id === id)) leadership.progress.delete(id);
  }
}

export function replicateToAll(ctx: CoreContext, leadership: Leadership): void {
  for (const [id, progress] of leadership.progress) replicateTo(ctx, id, progress);
}

/** Sends what the follower may have now: the leader's own write runs at the same time (thesis §10.2.1). */
export function replicateTo(ctx: CoreContext, to: NodeId, progress: Progress): void {
  const { log, limits } = ctx;
  while (progress.canSend(limits, ctx.now)) {
    const prevIndex = progress.next - 1;
    const prevTerm = log.termAt(prevIndex);
    if (prevTerm === undefined) {
      // cover: a follower needs a snapshot
      sendSnapshot(ctx, to, progress);
      return;
    }
    const probing = progress.state !== 'replicate';
    if (!probing && progress.next > log.lastIndex) return;
    let entries = log.slice(progress.next, limits.appendBytesMax);
    let bytes = entries.reduce((sum, entry) => sum + entry.byteLength, 0);
    if (probing && bytes > PROBE_BYTES_MAX) {
      // cover: a probe goes without its big entry
      entries = [];
      bytes = 0;
    }
    const requestId = ctx.nextRequestId();
    const lastIndex = prevIndex + entries.length;
    progress.sent({ requestId, prevIndex, lastIndex, bytes, sentAtMs: ctx.now });
    ctx.send(
      to,
      {
        type: 'append',
        term: ctx.term,
        requestId,
        prevIndex,
        prevTerm,
        prevHash: log.hashAt(prevIndex) as number,
        commit: Math.min(ctx.commit, lastIndex),
        entries: entries.map((entry) => entryOf(entry, entry.data)),
      },
      'term',
    );
    if (probing) return;
  }
}

function sendSnapshot(ctx: CoreContext, to: NodeId, progress: Progress): void {
  const { log } = ctx;
  const requestId = ctx.nextRequestId();
  progress.state = 'snapshot';
  const index = log.snapshotIndex;
  progress.sent({ requestId, prevIndex: 0, lastIndex: index, bytes: 0, sentAtMs: ctx.now });
  ctx.send(
    to,
    {
      type: 'snapshot',
      term: ctx.term,
      requestId,
      snapshot: {
        index,
        term: log.termAt(index) as number,
        chainHash: log.hashAt(index) as number,
        configuration: ctx.configurations.at(index),
        data: undefined,
      },
    },
    'term',
  );
}

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
    progress.acknowledged(message.matchIndex, ctx.lastRequestId);
    advanceCommit(ctx, leadership);
  } else if (request) {
    // Whoever refuses what follows its own acknowledgement has at most what came before it.
    const agreesUpTo = message.conflictTerm > 0 ? request.prevIndex - 1 : message.conflictIndex - 1;
    if (checkReversion(ctx, from, progress, message.requestId, agreesUpTo)) return;
    // cover: a refused append is searched back
    // Search by term (thesis §3.5): the follower's log can only agree up to where our terms are no greater.
    const hint =
      message.conflictTerm > 0
        ? ctx.log.lastIndexWithTermAtMost(message.conflictTerm, message.conflictIndex) + 1
        : message.conflictIndex;
    progress.probeFrom(Math.max(1, Math.min(hint, progress.next - 1)));
  } else {
    return;
  }
  if (ctx.leadership === leadership) {
    maybeSendTimeoutNow(ctx, leadership);
    replicateTo(ctx, from, progress);
  }
}

export function onSnapshotResponse(
  ctx: CoreContext,
  leadership: Leadership,
  from: NodeId,
  message: SnapshotResponse,
): void {
  const progress = leadership.progress.get(from);
  if (!progress || progress.state === 'reverted') return;
  // Nothing is acknowledged by an answer to an earlier term.
  if (!progress.settle(message.requestId) && message.matchIndex === 0) return;
  progress.acknowledged(message.matchIndex, ctx.lastRequestId);
  advanceCommit(ctx, leadership);
  if (ctx.leadership === leadership) replicateTo(ctx, from, progress);
}

/**
 * Raises the alarm when a follower has less than it acknowledged, from the same disk: whatever it lost may be what
 * makes an entry committed, so it is never simply sent again (raft.md §5.4). True when it is so.
 */
export function checkReversion(
  ctx: CoreContext,
  node: NodeId,
  progress: Progress,
  requestId: number,
  lastIndex: number,
): boolean {
  if (!progress.isReversion(requestId, lastIndex)) return false;
  ctx.event({ type: 'reverted', node, acknowledged: progress.match, found: lastIndex });
  progress.revert();
  return true;
}

/**
 * Commits what a quorum has on disk, this node's own disk being one vote among others (also when its own write
 * ends last, bug 31). Only an entry of the own term decides (thesis §3.6.2, bug 19).
 */
export function advanceCommit(ctx: CoreContext, leadership: Leadership): void {
  const index = quorumValue(ctx.voters, (id) =>
    id === ctx.id ? ctx.outbox.durableIndex : (leadership.progress.get(id)?.match ?? 0),
  );
  if (index <= ctx.commit || ctx.log.termAt(index) !== ctx.term) return;
  const previous = ctx.commit;
  commitTo(ctx, index);
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
  // Those who are gone hear of the commit once more before they are forgotten.
  sendHeartbeats(ctx, leadership);
  if (!ctx.isVoter(ctx.id)) {
    // cover: a leader leaves after its removal
    orderSuccession(ctx, leadership);
    becomeFollower(ctx, ctx.term, null, 'no longer a voter of the committed configuration');
    return;
  }
  syncProgress(ctx, leadership);
  // A leader that is left alone hears no more answers that could confirm its reads.
  answerReads(ctx, leadership);
}

/** A leader that leaves asks the best of those who have its whole log to follow it at once. */
function orderSuccession(ctx: CoreContext, leadership: Leadership): void {
  const { lastIndex } = ctx.log;
  const heir = successors(ctx, leadership).find((id) => leadership.progress.get(id)?.match === lastIndex);
  if (heir !== undefined && !leadership.transfer) sendTimeoutNow(ctx, heir);
}

/** One round to everybody: proof of leadership for reads, and of life for the followers. */
export function sendHeartbeats(ctx: CoreContext, leadership: Leadership): void {
  leadership.round += 1;
  leadership.roundSentAtMs.set(leadership.round, ctx.now);
  leadership.heartbeatDueMs = ctx.now + ctx.timing.heartbeatIntervalMs;
  const succession = successors(ctx, leadership);
  const { members } = ctx.configurations.latest.configuration;
  for (const [id, progress] of leadership.progress) {
    const place = succession.indexOf(id);
    ctx.send(
      id,
      {
        type: 'heartbeat',
        term: ctx.term,
        requestId: ctx.nextRequestId(),
        round: leadership.round,
        commit: Math.min(ctx.commit, progress.match),
        electionTimeoutMs: ctx.timing.electionTimeoutMs,
        // Whoever was removed may have another disk by now.
        acknowledged: members.some((member) => member.id === id) ? progress.acknowledgedIndex : 0,
        handOversEnded: ctx.handOversEnded(ctx.term),
        rank: place < 0 ? succession.length : place,
      },
      'term',
    );
  }
}

export function startRead(ctx: CoreContext, leadership: Leadership, id: number): void {
  sendHeartbeats(ctx, leadership);
  leadership.reads.push({ id, index: ctx.commit, round: leadership.round });
  answerReads(ctx, leadership);
}

/** A round is confirmed by answers to it or to a later one, never to an earlier one (bug 49). */
export function answerReads(ctx: CoreContext, leadership: Leadership): void {
  const confirmed = quorumValue(ctx.voters, (id) =>
    id === ctx.id ? Infinity : (leadership.progress.get(id)?.ackedRound ?? 0),
  );
  const open = [];
  for (const read of leadership.reads) {
    if (read.round <= confirmed) {
      ctx.answer(read.id, { outcome: 'done', index: read.index, term: ctx.term });
    } else {
      open.push(read);
    }
  }
  leadership.reads = open;
}

import { settlePreparations } from './catch-up.js';
import type { NodeId } from './configuration.js';
import type { CoreContext } from './context.js';
import { answerReads, sendHeartbeats } from './heartbeats.js';
import { leaveHungDisk } from './hung-disk.js';
import { invariant } from './invariant.js';
import type { Leadership } from './leadership-state.js';
import { goOnLeaving } from './leaving.js';
import { leaveJoint } from './membership.js';
import type { HeartbeatResponse } from './messages.js';
import { quorumValue } from './quorum.js';
import { appendOwn, replicateTo, replicateToAll, syncProgress } from './replication.js';
import { checkReversion, excludeReverted } from './reversion.js';
import { becomeFollower } from './step-down.js';
import { endOverdueTransfer, advanceTransfer } from './transfer.js';
import { leaveWithoutWork } from './work.js';

export function becomeLeader(ctx: CoreContext, reason: string): void {
  invariant(ctx.role === 'candidate', () => `${ctx.role} cannot become leader`);
  const leadership: Leadership = {
    noopIndex: ctx.log.lastIndex + 1,
    ready: false,
    progress: new Map(),
    round: 0,
    roundSentAtMs: new Map(),
    heartbeatDueMs: ctx.now,
    pending: new Map(),
    uncommittedBytes: 0,
    readsBeforeReady: [],
    reads: [],
    replacementRequest: null,
    transfer: null,
    preparations: [],
    leaseCountsFromMs: -Infinity,
    quorumGraceFromMs: -Infinity,
    workedAtMs: ctx.now,
    isIdlenessTold: false,
    leaving: null,
  };
  ctx.role = 'leader';
  ctx.leader = ctx.id;
  ctx.lastLeader = ctx.id;
  ctx.campaign = null;
  ctx.leadership = leadership;
  ctx.electionDeadlineMs = Infinity;
  syncProgress(ctx, leadership);
  ctx.roleChanged(reason);
  // An entry of the leader's own term commits all that came before it (Raft thesis §3.6.2).
  appendOwn(ctx, leadership, 'noop', new Uint8Array(0), 0);
  sendHeartbeats(ctx, leadership);
  replicateToAll(ctx, leadership);
}

export function onPropose(ctx: CoreContext, id: number, data: Uint8Array, crc: number): void {
  const { leadership, limits } = ctx;
  if (!leadership) return ctx.reject(id, 'not-leader');
  if (leadership.transfer?.isClosed) return ctx.reject(id, 'transfer-in-progress');
  // A leader without a quorum must not collect proposals forever.
  const full =
    leadership.pending.size >= limits.uncommittedEntriesMax ||
    (leadership.pending.size > 0 && leadership.uncommittedBytes + data.length > limits.uncommittedBytesMax);
  if (full) {
    // cover: too much is uncommitted
    // replication.test.ts "takes no more proposals than may wait for a commit"
    return ctx.reject(id, 'too-many-uncommitted');
  }
  leadership.pending.set(appendOwn(ctx, leadership, 'command', data, crc), id);
  replicateToAll(ctx, leadership);
}

export function onHeartbeatResponse(
  ctx: CoreContext,
  leadership: Leadership,
  from: NodeId,
  message: HeartbeatResponse,
): void {
  const progress = leadership.progress.get(from);
  const sentAtMs = leadership.roundSentAtMs.get(message.round);
  if (!progress || progress.state === 'reverted') return;
  if (message.reverted) return excludeReverted(ctx, from, progress, 'noted', message.lastIndex);
  if (sentAtMs === undefined) return;
  if (checkReversion(ctx, from, progress, message.requestId, message.lastIndex)) return;
  // The lease counts from the sending of the request, not from the arrival of the answer.
  // At the cluster's pace, with time to spare. Until the change is decided, the leader must not leave it open.
  const isPrompt = ctx.now - sentAtMs <= ctx.timing.leaseTimeoutMs / 2;
  if (isPrompt && ctx.configurations.latest.index <= ctx.commit) progress.probationUntilMs = -Infinity;
  progress.promisedFromMs = Math.max(progress.promisedFromMs, sentAtMs);
  progress.ackedSentAtMs = Math.max(progress.ackedSentAtMs, sentAtMs);
  progress.ackedRound = Math.max(progress.ackedRound, message.round);
  progress.lastIndex = message.lastIndex;
  progress.eligibility = message.eligibility;
  progress.priority = message.priority;
  progress.pausedUntilMs = -Infinity;
  answerReads(ctx, leadership);
  replicateTo(ctx, from, progress);
}

/**
 * When a quorum last proved that it hears this leader: send time of the newest round that it acknowledged. A voter on
 * probation counts as answering.
 */
function quorumContactMs(ctx: CoreContext, leadership: Leadership): number {
  return quorumValue(ctx.voters, (id) => {
    const progress = leadership.progress.get(id);
    if (id === ctx.id || (progress && ctx.now < progress.probationUntilMs)) return ctx.now;
    return progress?.ackedSentAtMs ?? -Infinity;
  });
}

/**
 * When this leader's lease ends; -Infinity before a quorum acknowledged a heartbeat. Votes do not promise loyalty:
 * if one arrives late, the voters of the new leader may already follow another.
 */
export function leaseEndMs(ctx: CoreContext, { progress, transfer, leaseCountsFromMs }: Leadership): number {
  if (transfer?.isClosed) return -Infinity;
  const acknowledgedMs = quorumValue(ctx.voters, (id) => {
    if (id === ctx.id) return ctx.now;
    const promisedFromMs = progress.get(id)?.promisedFromMs ?? -Infinity;
    return promisedFromMs > leaseCountsFromMs ? promisedFromMs : -Infinity;
  });
  return acknowledgedMs + ctx.timing.leaseTimeoutMs;
}

function patienceEndMs(ctx: CoreContext, leadership: Leadership): number {
  return Math.max(quorumContactMs(ctx, leadership), leadership.quorumGraceFromMs) + ctx.timing.leaseTimeoutMs;
}

export function leaderDeadlineMs(ctx: CoreContext, leadership: Leadership): number {
  return Math.min(
    leadership.heartbeatDueMs,
    patienceEndMs(ctx, leadership),
    leadership.transfer?.deadlineMs ?? Infinity,
  );
}

export function tickLeader(ctx: CoreContext, leadership: Leadership): void {
  // A leader that cannot hear a quorum stops at once, heartbeats included.
  if (ctx.now >= patienceEndMs(ctx, leadership)) {
    // cover: a leader without a quorum steps down
    // leader.test.ts "steps down when no quorum answers within the lease …"
    becomeFollower(ctx, ctx.term, null, 'no contact with a quorum');
    return;
  }
  settlePreparations(ctx, leadership);
  endOverdueTransfer(ctx, leadership);
  if (leadership.leaving ? goOnLeaving(ctx, leadership) : leaveIfUseless(ctx, leadership)) return;
  if (ctx.now < leadership.heartbeatDueMs) return;
  for (const [id, progress] of leadership.progress) {
    progress.expire(ctx.now - ctx.timing.requestTimeoutMs);
    replicateTo(ctx, id, progress);
  }
  for (const [round, sentAtMs] of leadership.roundSentAtMs) {
    if (sentAtMs < ctx.now - ctx.timing.leaseTimeoutMs) leadership.roundSentAtMs.delete(round);
  }
  sendHeartbeats(ctx, leadership);
  advanceTransfer(ctx, leadership);
  leaveJoint(ctx, leadership);
}

const leaveIfUseless = (ctx: CoreContext, leadership: Leadership): boolean =>
  leaveHungDisk(ctx, leadership) || (!leadership.leaving && leaveWithoutWork(ctx, leadership));

export function onRequestFailed(
  ctx: CoreContext,
  leadership: Leadership,
  to: NodeId,
  requestId: number,
  cause: string | undefined,
): void {
  const progress = leadership.progress.get(to);
  if (!progress?.settle(requestId)) {
    // cover: a request fails that nobody waits for
    // replication.test.ts "goes on when a request fails that was already answered"
    return;
  }
  progress.probeFrom(progress.match + 1);
  progress.failure = cause;
  progress.pausedUntilMs = ctx.now + ctx.timing.heartbeatIntervalMs;
}

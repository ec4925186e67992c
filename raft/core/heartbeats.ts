import type { CoreContext } from './context.js';
import type { Leadership } from './leadership-state.js';
import { quorumValue } from './quorum.js';
import { successors } from './succession.js';

/** One round to all peers: proves leadership for reads, and shows the followers that the leader is alive. */
export function sendHeartbeats(ctx: CoreContext, leadership: Leadership): void {
  leadership.round += 1;
  leadership.roundSentAtMs.set(leadership.round, ctx.now);
  leadership.heartbeatDueMs = ctx.now + ctx.timing.heartbeatIntervalMs;
  const succession = successors(ctx, leadership);
  const { members } = ctx.configurations.latest.configuration;
  for (const [id, progress] of leadership.progress) {
    const place = succession.indexOf(id);
    // A removed member may now have another disk.
    const acknowledged = members.some((member) => member.id === id) ? progress.acknowledgedIndex : 0;
    const commit = Math.min(ctx.commit, progress.match);
    const logHash = ctx.log.hashAt(Math.max(acknowledged, commit));
    ctx.send(
      id,
      {
        type: 'heartbeat',
        term: ctx.term,
        requestId: ctx.nextRequestId(),
        round: leadership.round,
        // If the follower cannot check this, an append or the snapshot will tell it.
        commit: logHash === undefined ? 0 : commit,
        electionTimeoutMs: ctx.timing.electionTimeoutMs,
        acknowledged,
        logHash,
        transfersEnded: ctx.transfersEnded(ctx.term),
        rank: place < 0 ? succession.length : place,
      },
      'term',
    );
  }
}

/** Answers a read once the leader knows what is committed and a quorum still follows it (Raft thesis §6.4). */
export function onRead(ctx: CoreContext, id: number): void {
  const { leadership } = ctx;
  if (!leadership) return ctx.reject(id, 'not-leader');
  // Before its first own commit a leader does not know what is committed.
  if (leadership.ready) startRead(ctx, leadership, id);
  else leadership.readsBeforeReady.push(id);
}

/** Begins the round of heartbeats that proves leadership for this read. */
export function startRead(ctx: CoreContext, leadership: Leadership, id: number): void {
  sendHeartbeats(ctx, leadership);
  leadership.reads.push({ id, index: ctx.commit, round: leadership.round });
  answerReads(ctx, leadership);
}

/** A round is confirmed by answers to it or to a later one, never to an earlier one. */
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

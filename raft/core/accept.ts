import { decodeConfiguration, type NodeId } from './configuration.js';
import type { CoreContext } from './context.js';
import { eligibilityNow, heardFromLeader, restartElectionTimer } from './election-timer.js';
import type { Entry } from './entries.js';
import { invariant } from './invariant.js';
import type { AppendRequest, HeartbeatRequest, SnapshotRequest } from './messages.js';
import type { Needs } from './outbox.js';
import { checkOwnLog } from './reversion.js';
import { becomeFollower } from './step-down.js';
import type { Snapshot, SnapshotMeta } from './stored-state.js';

/** Accepts the sender as leader of its term. False when that term is over. */
function acceptLeader(ctx: CoreContext, from: NodeId, term: number, loyaltyWindowMs?: number): boolean {
  if (term < ctx.term) return false;
  invariant(term > ctx.term || ctx.role !== 'leader', () => `${from} leads term ${term} beside ${ctx.id}`);
  invariant(
    term > ctx.term || ctx.leader === null || ctx.leader === from,
    () => `${from} and ${ctx.leader ?? ''} both lead term ${term}`,
  );
  if (term > ctx.term || ctx.role !== 'follower' || ctx.leader !== from) {
    becomeFollower(ctx, term, from, `${from} leads`);
  }
  ctx.campaign = null;
  // A lease rests on what the followers promised, whatever timing their own logs have by now.
  if (loyaltyWindowMs !== undefined) ctx.loyaltyWindowMs = loyaltyWindowMs;
  heardFromLeader(ctx);
  return true;
}

export function onHeartbeat(ctx: CoreContext, from: NodeId, message: HeartbeatRequest): void {
  if (message.term >= ctx.term) ctx.publishedRank = { term: message.term, rank: message.rank };
  const current = acceptLeader(ctx, from, message.term, message.electionTimeoutMs);
  if (current) {
    ctx.endTransfers(message.term, message.transfersEnded);
    checkOwnLog(ctx, message);
    if (!ctx.reverted && message.commit <= ctx.log.lastIndex) ctx.commitTo(message.commit);
  }
  ctx.send(
    from,
    {
      type: 'heartbeatResponse',
      term: ctx.term,
      requestId: message.requestId,
      // Each term counts its rounds from the start: this answer must not confirm a round of the current term.
      round: current ? message.round : 0,
      lastIndex: ctx.log.lastIndex,
      eligibility: eligibilityNow(ctx),
      priority: ctx.priority,
      reverted: ctx.reverted,
    },
    'term',
  );
}

export function onAppend(ctx: CoreContext, from: NodeId, message: AppendRequest): void {
  const { requestId } = message;
  if (!acceptLeader(ctx, from, message.term)) {
    // cover: an append of an old term
    // accept.test.ts "refuses a leader whose term is over, and tells it the new one"
    return refuse(ctx, from, requestId, 0, 0);
  }
  if (ctx.reverted) {
    // cover: a node whose disk lost something is sent entries
    // reversion.test.ts "takes, acknowledges and cuts off nothing"
    // No refusal: a leader that has not heard of the loss would search for a common point again and again.
    return acknowledge(ctx, from, requestId, 0, 'term');
  }

  const { log } = ctx;
  const lastIndex = message.prevIndex + message.entries.length;
  if (message.prevIndex > log.lastIndex) {
    // cover: an append leaves a gap
    // accept.test.ts "refuses what does not reach its end, and says where that is"
    return refuse(ctx, from, requestId, log.lastIndex + 1, 0);
  }
  if (message.prevIndex >= log.snapshotIndex) {
    const term = log.termAt(message.prevIndex) as number;
    if (term !== message.prevTerm) {
      // cover: the entry before differs
      // accept.test.ts "refuses a conflict with the first index of its own term there (Raft thesis §3.5)"
      return refuse(ctx, from, requestId, log.firstIndexOfTermAt(message.prevIndex), term);
    }
    checkSameHash(ctx, from, message.prevIndex, message.prevHash);
  }
  for (const entry of message.entries) acceptEntry(ctx, from, entry);

  // Only as far as this message proves that the log is the leader's.
  ctx.commitTo(Math.min(message.commit, lastIndex));
  acknowledge(ctx, from, requestId, Math.max(lastIndex, log.snapshotIndex), 'everything');
}

function acknowledge(
  ctx: CoreContext,
  from: NodeId,
  requestId: number,
  matchIndex: number,
  needs: Needs,
): void {
  const verdict = { success: true, matchIndex, conflictIndex: 0, conflictTerm: 0 };
  ctx.send(from, { type: 'appendResponse', term: ctx.term, requestId, ...verdict }, needs);
}

function refuse(
  ctx: CoreContext,
  from: NodeId,
  requestId: number,
  conflictIndex: number,
  conflictTerm: number,
): void {
  const verdict = { success: false, matchIndex: 0, conflictIndex, conflictTerm };
  ctx.send(from, { type: 'appendResponse', term: ctx.term, requestId, ...verdict }, 'term');
}

/** Entries that are already there stay, including those after the end of a short or late message. */
function acceptEntry(ctx: CoreContext, from: NodeId, entry: Entry): void {
  const { log } = ctx;
  if (entry.index <= log.snapshotIndex) {
    // cover: an entry is in the snapshot already
    // accept.test.ts "passes over entries that its snapshot holds already"
    return;
  }
  if (entry.index <= log.lastIndex) {
    if (log.termAt(entry.index) === entry.term) return checkSameHash(ctx, from, entry.index, entry.chainHash);
    // cover: a conflicting entry is cut off
    // accept.test.ts "replaces entries that conflict"
    truncateFrom(ctx, entry.index);
  }
  log.append(entry);
  if (entry.kind !== 'config') return;
  const configuration = decodeConfiguration(entry.data as Uint8Array);
  ctx.configurations.append({ index: entry.index, configuration });
  // From now on its heartbeats may be further apart.
  restartElectionTimer(ctx);
  ctx.event({ type: 'configuration', index: entry.index, configuration, reason: `from ${from}` });
}

function truncateFrom(ctx: CoreContext, index: number): void {
  invariant(index > ctx.commit, () => `truncation at ${index}, below commit ${ctx.commit}`);
  ctx.log.truncateFrom(index);
  ctx.outbox.logTruncated(index);
  if (!ctx.configurations.truncateFrom(index)) return;
  // cover: a configuration is rolled back
  // membership.test.ts "goes back to exactly the one before when it is cut off"
  const { index: at, configuration } = ctx.configurations.latest;
  ctx.event({ type: 'configuration', index: at, configuration, reason: 'rolled back with the log' });
}

/** Same index and term with different content is a broken log (Log Matching, I3). */
function checkSameHash(ctx: CoreContext, from: NodeId, index: number, hash: number): void {
  invariant(
    ctx.log.hashAt(index) === hash,
    () => `entry ${index} differs from that of ${from}, in the same term`,
  );
}

export function onSnapshot(ctx: CoreContext, from: NodeId, message: SnapshotRequest): void {
  const { log } = ctx;
  const { snapshot } = message;
  if (!acceptLeader(ctx, from, message.term)) {
    ctx.send(
      from,
      { type: 'snapshotResponse', term: ctx.term, requestId: message.requestId, matchIndex: 0 },
      'term',
    );
    return;
  }
  // No answer: a leader that has not heard of the loss would send the whole snapshot again at once.
  if (ctx.reverted) return;
  if (snapshot.index > ctx.commit) {
    if (log.termAt(snapshot.index) === snapshot.term) {
      // cover: a snapshot of what the log holds already
      // snapshots.test.ts "installs nothing that the log holds already, and keeps what follows"
      // The log already holds it: nothing to install, and what follows it stays.
      checkSameHash(ctx, from, snapshot.index, snapshot.chainHash);
      ctx.commitTo(snapshot.index);
    } else {
      // cover: a snapshot is installed
      // snapshots.test.ts "replaces the log and the state, and is acknowledged when it is on disk"
      install(ctx, from, snapshot);
    }
  }
  // What is committed here is the leader's as well (Leader Completeness), so an old snapshot does not move the log back.
  ctx.send(
    from,
    { type: 'snapshotResponse', term: ctx.term, requestId: message.requestId, matchIndex: ctx.commit },
    'everything',
  );
}

function install(
  ctx: CoreContext,
  from: NodeId,
  snapshot: SnapshotMeta & { data: Uint8Array | undefined },
): void {
  const loaded: Snapshot = { ...snapshot, data: snapshot.data ?? new Uint8Array(0) };
  ctx.log.reset(snapshot);
  ctx.configurations.reset(snapshot.configuration);
  ctx.outbox.logReset(loaded);
  ctx.commit = snapshot.index;
  ctx.applied = snapshot.index;
  ctx.emit({ type: 'restore', snapshot: loaded });
  ctx.event({ type: 'snapshotInstalled', index: snapshot.index, from });
  ctx.event({
    type: 'configuration',
    index: snapshot.configuration.index,
    configuration: snapshot.configuration.configuration,
    reason: `snapshot from ${from}`,
  });
}

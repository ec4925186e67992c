import { onAppend, onHeartbeat, onSnapshot } from './accept.js';
import { advanceCommit, onAppendResponse, onProgress, onSnapshotResponse } from './acknowledgements.js';
import {
  onElectionTimeout,
  onPreVoteResponse,
  onTimeoutNow,
  onVoteResponse,
  startPreVote,
} from './candidate.js';
import { onPrepareTransfer } from './catch-up.js';
import { chainHash } from './chain-hash.js';
import {
  encodeConfiguration,
  inOrder,
  type Configuration,
  type IndexedConfiguration,
  type NodeId,
} from './configuration.js';
import { CoreContext } from './context.js';
import { crc32 } from './crc32.js';
import { isLoyalFollower, rank, restartElectionTimer, stagger } from './election-timer.js';
import type { Entry } from './entries.js';
import { onRead } from './heartbeats.js';
import type { Input } from './inputs.js';
import { invariant, InvariantError } from './invariant.js';
import {
  leaderDeadlineMs,
  onHeartbeatResponse,
  onPropose,
  onRequestFailed,
  leaseEndMs,
  tickLeader,
} from './leader.js';
import { onChangeMembership, onSetTiming } from './membership.js';
import type { Message } from './messages.js';
import type { CoreOptions } from './options.js';
import type { Fate, LogPosition, Output, Role } from './outputs.js';
import { reportReversion } from './reversion.js';
import { becomeFollower } from './step-down.js';
import type { RestoredState } from './stored-state.js';
import { successors } from './succession.js';
import type { Timing } from './timing.js';
import { advanceTransfer, onTimeoutNowResponse, onTransfer } from './transfer.js';
import { onPreVote, onVote } from './voting.js';

export interface PeerStatus {
  id: NodeId;
  state: 'probe' | 'replicate' | 'snapshot' | 'reverted';
  matchIndex: number;
  /** Time since the last acknowledged heartbeat was sent. */
  lastContactMs: number;
  eligibility: number;
  priority: number;
  /** Rank, 0 first; undefined for non-voters. */
  rank: number | undefined;
}

export interface CoreStatus {
  id: NodeId;
  role: Role;
  term: number;
  leader: NodeId | null;
  /** Leader only: an entry of its own term is committed. */
  ready: boolean;
  /** Leader only: a transfer is in progress. The leader accepts proposals until the target has caught up. */
  transferring: boolean;
  commitIndex: number;
  appliedIndex: number;
  lastIndex: number;
  snapshotIndex: number;
  logBytes: number;
  configuration: IndexedConfiguration;
  /** Leader only: time until it steps down unless a quorum answers. */
  leaseRemainingMs: number;
  peers: PeerStatus[];
}

/**
 * One node's part of the protocol: inputs in, outputs out, nothing else. The caller delivers time,
 * messages and finished writes, and carries out the outputs in order.
 */
export class RaftCore {
  private readonly ctx: CoreContext;
  private halted = false;

  constructor(options: CoreOptions, restored: RestoredState) {
    this.ctx = new CoreContext(options, restored);
    this.ctx.electionDeadlineMs = -Infinity;
  }

  step(input: Input): Output[] {
    if (this.halted) return [];
    const { ctx } = this;
    const silentMs = input.now - ctx.now;
    ctx.now = input.now;
    ctx.random = input.random;
    // The first input starts the clock: a restarted follower is as patient as any other.
    if (ctx.electionDeadlineMs === -Infinity) {
      // Tells answers to this process from answers to an earlier one.
      ctx.lastRequestId = Math.floor(input.random * 2 ** 32);
      if (ctx.reverted) reportReversion(ctx, 'noted', 0);
      this.startTimer();
    }
    try {
      // A leader has something to do in every heartbeat interval. One that did nothing for this long was frozen, and others
      // may have been elected. It must not act on messages that waited in its sockets.
      if (ctx.leadership && silentMs >= ctx.timing.electionTimeoutMs) {
        // cover: a leader was frozen
        // election-timer.test.ts "no longer leads when others may have been elected …"
        this.stalled(silentMs);
      }
      this.dispatch(input);
      const persist = ctx.outbox.nextWrite(ctx.hardState);
      if (persist) {
        ctx.writeBeganMs = ctx.now;
        ctx.emit(persist);
      }
    } catch (error) {
      if (!(error instanceof InvariantError)) throw error;
      this.halted = true;
      ctx.emit({ type: 'halt', reason: error.message });
    }
    return ctx.takeOutputs();
  }

  /** When `tick` is due next. */
  nextDeadlineMs(): number {
    const { ctx } = this;
    return ctx.leadership ? leaderDeadlineMs(ctx, ctx.leadership) : ctx.electionDeadlineMs;
  }

  /** The timing in force: that of the cluster once the log has it. */
  get timing(): Timing {
    return this.ctx.timing;
  }

  get role(): Role {
    return this.ctx.role;
  }

  /** Both ends of the log, for whoever decides on compaction. */
  logExtent(): { snapshotIndex: number; lastIndex: number; durableIndex: number; bytes: number } {
    const { log, outbox } = this.ctx;
    return {
      snapshotIndex: log.snapshotIndex,
      lastIndex: log.lastIndex,
      durableIndex: outbox.durableIndex,
      bytes: log.totalBytes,
    };
  }

  entry(index: number): Readonly<Entry> | undefined {
    return this.ctx.log.get(index);
  }

  /** Term at `index`, also at the snapshot's; undefined when the log cannot tell. */
  termAt(index: number): number | undefined {
    return this.ctx.log.termAt(index);
  }

  /** What became of this entry, as far as this node knows. A replacement counts as committed when its second entry is. */
  fateOf({ index, term }: LogPosition): Fate {
    const { log, commit, configurations } = this.ctx;
    if (index > commit) return 'open';
    if (index < log.snapshotIndex) return 'forgotten';
    if (log.termAt(index) !== term) return 'replaced';
    const inForce = configurations.at(commit);
    return inForce.index === index && inForce.configuration.joint ? 'open' : 'committed';
  }

  status(now: number): CoreStatus {
    const { ctx } = this;
    const { leadership } = ctx;
    const succession = leadership ? successors(ctx, leadership) : [];
    return {
      id: ctx.id,
      role: ctx.role,
      term: ctx.term,
      leader: ctx.leader,
      ready: leadership?.ready ?? false,
      transferring: Boolean(leadership?.transfer),
      commitIndex: ctx.commit,
      appliedIndex: ctx.applied,
      lastIndex: ctx.log.lastIndex,
      snapshotIndex: ctx.log.snapshotIndex,
      logBytes: ctx.log.totalBytes,
      configuration: ctx.configurations.latest,
      leaseRemainingMs: leadership ? Math.max(0, leaseEndMs(ctx, leadership) - now) : 0,
      peers: [...(leadership?.progress ?? [])].map(([id, progress]) => ({
        id,
        state: progress.state,
        matchIndex: progress.match,
        lastContactMs: now - progress.ackedSentAtMs,
        eligibility: progress.eligibility,
        priority: progress.priority,
        rank: placeIn(succession, id),
      })),
    };
  }

  private startTimer(): void {
    const { ctx } = this;
    restartElectionTimer(ctx);
    // A lone voter has nobody to wait for, so it leads at once.
    if (ctx.allVoters.length === 1 && ctx.isVoter(ctx.id)) ctx.electionDeadlineMs = ctx.now;
  }

  private dispatch(input: Input): void {
    const { ctx } = this;
    switch (input.type) {
      case 'tick':
        return this.tick();
      case 'message':
        return this.receive(input.from, input.message);
      case 'requestFailed':
        if (ctx.leadership) onRequestFailed(ctx, ctx.leadership, input.to, input.requestId, input.cause);
        return;
      case 'progress':
        if (ctx.leadership) onProgress(ctx, ctx.leadership, input);
        return;
      case 'stored':
        return this.stored(input.seq);
      case 'applied':
        ctx.applied = Math.max(ctx.applied, input.index);
        invariant(ctx.applied <= ctx.commit, () => `applied ${ctx.applied} beyond commit ${ctx.commit}`);
        ctx.log.evict(ctx.limits.cacheBytesMax, Math.min(ctx.applied, ctx.outbox.durableIndex));
        return;
      case 'propose':
        return onPropose(ctx, input.id, input.data, input.crc);
      case 'read':
        return onRead(ctx, input.id);
      case 'prepareTransfer':
        return onPrepareTransfer(ctx, input.id, input.to);
      case 'transfer':
        return onTransfer(ctx, input.id, input.to);
      case 'changeMembership':
        return onChangeMembership(ctx, input);
      case 'setTiming':
        return onSetTiming(ctx, input);
      case 'bootstrap':
        return this.bootstrap(input.id, inOrder(input.configuration));
      case 'compact':
        return this.compact(input.index, input.data);
      case 'peerGone':
        return this.peerGone(input.peer);
      case 'stalled':
        return this.stalled(input.forMs);
      case 'eligibility':
        ctx.eligibility = input.value;
        return;
    }
  }

  private tick(): void {
    const { ctx } = this;
    if (ctx.leadership) tickLeader(ctx, ctx.leadership);
    else if (ctx.now >= ctx.electionDeadlineMs) onElectionTimeout(ctx);
  }

  private receive(from: NodeId, message: Message): void {
    const { ctx } = this;
    switch (message.type) {
      case 'preVote':
        return onPreVote(ctx, from, message);
      case 'vote':
        return onVote(ctx, from, message);
      case 'append':
        return onAppend(ctx, from, message);
      case 'heartbeat':
        return onHeartbeat(ctx, from, message);
      case 'snapshot':
        return onSnapshot(ctx, from, message);
      case 'timeoutNow':
        return onTimeoutNow(ctx, from, message);
      case 'preVoteResponse':
        return onPreVoteResponse(ctx, from, message);
      default:
        break;
    }
    if (message.term > ctx.term) {
      if (isLoyalFollower(ctx)) {
        // cover: a loyal follower gets a late answer of a later term
        // candidate.test.ts "ignores late answers of a later term while it is loyal to a leader"
        return;
      }
      return becomeFollower(ctx, message.term, null, `${from} knows a later term`);
    }
    if (message.type === 'voteResponse') return onVoteResponse(ctx, from, message);
    // Answers to a past leadership say nothing about this one.
    const { leadership } = ctx;
    if (!leadership || message.term !== ctx.term) {
      // cover: an answer to an earlier leadership
      // replication.test.ts "believes no answer of an earlier term"
      return;
    }
    const progress = leadership.progress.get(from);
    if (progress) progress.heardAtMs = ctx.now;
    switch (message.type) {
      case 'appendResponse':
        return onAppendResponse(ctx, leadership, from, message);
      case 'heartbeatResponse':
        return onHeartbeatResponse(ctx, leadership, from, message);
      case 'snapshotResponse':
        return onSnapshotResponse(ctx, leadership, from, message);
      case 'timeoutNowResponse':
        return onTimeoutNowResponse(ctx, leadership, from, message);
    }
  }

  private stored(seq: number): void {
    const { ctx } = this;
    for (const { to, message } of ctx.outbox.stored(seq)) {
      if (to === ctx.id) this.receive(ctx.id, message);
      else ctx.emit({ type: 'send', to, message });
    }
    if (ctx.leadership) {
      advanceCommit(ctx, ctx.leadership);
      if (ctx.leadership) advanceTransfer(ctx, ctx.leadership);
    }
  }

  private bootstrap(id: number, configuration: Configuration): void {
    const { ctx } = this;
    if (ctx.log.lastIndex > 0 || ctx.term > 0) {
      ctx.answer(id, { outcome: 'rejected', reason: 'not-empty', detail: 'this node already has a log' });
      return;
    }
    ctx.setTerm(1, null);
    const data = encodeConfiguration(configuration);
    const header = { index: 1, term: 1, kind: 'config' as const, byteLength: data.length, crc: crc32(data) };
    ctx.log.append({ ...header, chainHash: chainHash(ctx.log.lastHash, header), data });
    ctx.configurations.append({ index: 1, configuration });
    ctx.event({ type: 'configuration', index: 1, configuration, reason: 'bootstrap' });
    ctx.answer(id, { outcome: 'done', index: 1, term: 1 });
    this.startTimer();
  }

  private compact(index: number, data: Uint8Array): void {
    const { ctx } = this;
    const { log } = ctx;
    // The runtime asks again later: a snapshot replaces only what is on this disk.
    if (index <= log.snapshotIndex || index > ctx.outbox.durableIndex) return;
    invariant(index <= ctx.applied, () => `snapshot at ${index} beyond applied ${ctx.applied}`);
    const configuration = ctx.configurations.at(index);
    const base = { index, term: log.termAt(index) as number, chainHash: log.hashAt(index) as number };
    log.compactTo(base);
    ctx.configurations.compactTo(index);
    ctx.outbox.compacted({ ...base, configuration, data });
  }

  /** A process that is proven dead needs no patience. The ranks still keep candidates apart. */
  private peerGone(peer: NodeId): void {
    const { ctx } = this;
    if (ctx.role !== 'follower' || ctx.leader !== peer) return;
    ctx.leaderGone = true;
    const place = rank(ctx);
    if (place === 0) startPreVote(ctx, 'leader-gone');
    else ctx.electionDeadlineMs = Math.min(ctx.electionDeadlineMs, ctx.now + stagger(ctx));
  }

  /** After a stall the unread messages come first. A leader that slept through an election timeout steps down. */
  private stalled(forMs: number): void {
    const { ctx } = this;
    if (ctx.leadership) {
      if (forMs >= ctx.timing.electionTimeoutMs) {
        becomeFollower(ctx, ctx.term, null, `this process stalled for ${Math.round(forMs)} ms`);
      }
      return;
    }
    const readMs = ctx.now + ctx.timing.heartbeatIntervalMs;
    ctx.electionDeadlineMs = Math.max(ctx.electionDeadlineMs, readMs);
    if (forMs >= ctx.timing.electionTimeoutMs) ctx.ignoreTakeoverUntilMs = readMs;
  }
}

function placeIn(succession: readonly NodeId[], id: NodeId): number | undefined {
  const place = succession.indexOf(id);
  return place < 0 ? undefined : place;
}

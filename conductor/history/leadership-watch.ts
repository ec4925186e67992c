import { EventEmitter } from 'node:events';
import type { ElectionCause, RaftNode, RaftNodeEvents } from '../../raft/index.js';
import type { Leadership, Who } from '../../rpc/server/history.js';
import type { ChainState, CommittedHead, Verdict } from '../chain/chain-state.js';
import { leadershipChange, type HandOverCause, type Loss } from './leadership-change.js';

interface LeadershipWatchOptions {
  raft: Pick<RaftNode<unknown>, 'nodeId' | 'status' | 'timing'> & EventEmitter<RaftNodeEvents>;
  chain: Pick<ChainState, 'head' | 'blockAt'>;
  /** Who led last, as the cluster recorded it; for a member that has just started. */
  lastRecordedLeader: () => string | null;
}

interface LeadershipWatchEvents {
  /** This member leads, and everything that can be known about how it came to lead is known. */
  changed: [change: Leadership, handOver: HandOver | undefined];
}

/** A leader's account before it gave leadership away. */
export interface HandOver {
  /** Who led, in which term. */
  from: string;
  term: number;
  cause: HandOverCause;
  /** Who asked for it. */
  who: Who;
}

/** A leader without a block for this long has stopped, and it must still be reported that it leads. */
const FIRST_BLOCK_WITHIN_MS = 30_000;

const MEASURED_BLOCKS = 10;

/** What is known about a lost leader until there is a new one. */
interface Lost {
  from: string | null;
  fromTerm: number;
  loss: Loss;
  /** When this member noticed the loss, and when it began; monotonic. */
  noticedAtMs: number;
  atMs: number;
  lastBlockAtMs: number | undefined;
  blockTimeMs: number | undefined;
}

/** This member leads, and has not yet reported how it came to lead. */
interface Untold extends Lost {
  term: number;
  /** Index of the entry that completed its leadership; its own blocks come later. Undefined until then. */
  completeAtIndex: number | undefined;
  sequencerStartedAtMs: number | undefined;
  timer: NodeJS.Timeout;
}

/** Notes how this member comes to lead: whom it followed, why that leader was lost, and how long the chain stopped. */
export class LeadershipWatch extends EventEmitter<LeadershipWatchEvents> {
  private leader: { id: string; term: number } | undefined;
  /** The last known leader, even while there is none. */
  private lastLeader: { id: string; term: number } | undefined;
  private lost: Lost | undefined;
  private untold: Untold | undefined;
  private handOver: HandOver | undefined;
  /** When the disk last stored something from the leader, on the monotonic clock. */
  private storedAtMs: number | undefined;

  constructor(private readonly options: LeadershipWatchOptions) {
    super();
    const { raft } = options;
    raft.on('stored', () => {
      if (this.leader) this.storedAtMs = performance.now();
    });
    raft.on('electionStarted', ({ cause }) => this.stands(cause));
    raft.on('role', (event) => this.roleChanged(event));
    raft.on('leaderReady', () => {
      if (this.untold) this.untold.completeAtIndex = raft.status().commitIndex;
    });
    raft.on('stopped', () => clearTimeout(this.untold?.timer));
  }

  /** A leader announced that it gives leadership away. */
  handsOver(handOver: HandOver): void {
    this.handOver = handOver;
  }

  /** The local sequencer was started. */
  sequencerStarted(): void {
    if (this.untold) this.untold.sequencerStartedAtMs ??= performance.now();
  }

  /** A command was applied. */
  applied(head: CommittedHead, verdict: Verdict): void {
    const { untold } = this;
    if (untold?.completeAtIndex === undefined || head.logIndex <= untold.completeAtIndex) return;
    if (verdict.type === 'refused' || head.timestamp === undefined) return;
    this.tell(untold, { number: head.number, hash: head.hash, atMs: performance.now() });
  }

  private roleChanged(event: RaftNodeEvents['role'][0]): void {
    const { nodeId } = this.options.raft;
    const { role, term, leader } = event;
    if (leader !== this.leader?.id || term !== this.leader?.term) this.leaderLost();
    // It did lead, whatever happens to the blocks of a leader that has lost leadership.
    if (role !== 'leader' && this.untold) this.tell(this.untold, undefined);
    if (leader === null) return;
    const lost = this.lost ?? this.lossNow('start');
    this.lost = undefined;
    this.leader = this.lastLeader = { id: leader, term };
    if (leader === nodeId && !this.untold) this.leads(lost, term);
  }

  private leads(lost: Lost, term: number): void {
    const timer = setTimeout(() => {
      if (this.untold) this.tell(this.untold, undefined);
    }, FIRST_BLOCK_WITHIN_MS);
    timer.unref();
    this.untold = {
      ...lost,
      ...{ term, completeAtIndex: undefined, sequencerStartedAtMs: undefined, timer },
    };
  }

  private leaderLost(): void {
    if (!this.leader) return;
    const { id } = this.leader;
    this.leader = undefined;
    this.lost = this.lossNow(id === this.options.raft.nodeId ? 'no-quorum' : 'no-contact');
  }

  private lossNow(loss: Loss): Lost {
    const nowMs = performance.now();
    return {
      loss,
      from: this.lastLeader?.id ?? this.options.lastRecordedLeader(),
      fromTerm: this.lastLeader?.term ?? 0,
      noticedAtMs: nowMs,
      atMs: nowMs,
      lastBlockAtMs: this.storedAtMs,
      blockTimeMs: this.blockTimeMs(),
    };
  }

  /** What a candidacy says about the leader before. */
  private stands(cause: ElectionCause): void {
    const { lost } = this;
    if (!lost) return;
    if (cause === 'leader-gone') lost.loss = 'process-gone';
    if (cause === 'transfer') lost.loss = 'handed-over';
    // The silence began before it was noticed.
    if (cause === 'timeout' && lost.loss === 'no-contact') {
      const { electionTimeoutMs } = this.options.raft.timing;
      lost.atMs = Math.max(lost.lastBlockAtMs ?? -Infinity, lost.noticedAtMs - electionTimeoutMs);
    }
  }

  /** From timestamps, which are in seconds: over several blocks, since some chains have more than one a second. */
  private blockTimeMs(): number | undefined {
    const { head } = this.options.chain;
    if (head?.timestamp === undefined) return undefined;
    for (let blocks = MEASURED_BLOCKS; blocks > 0; blocks--) {
      const earlier = this.options.chain.blockAt(head.number - blocks);
      if (earlier) return ((head.timestamp - earlier.timestamp) * 1000) / blocks;
    }
    return undefined;
  }

  private tell(untold: Untold, firstBlock: { number: number; hash: string; atMs: number } | undefined): void {
    clearTimeout(untold.timer);
    this.untold = undefined;
    const { fromTerm, from, loss, term, atMs: lostAtMs, sequencerStartedAtMs, lastBlockAtMs } = untold;
    const { handOver } = this;
    const isOfThis = loss === 'handed-over' && handOver?.from === from && handOver?.term === fromTerm;
    const said = isOfThis ? handOver : undefined;
    const change = leadershipChange({
      ...{ from, loss, term, lostAtMs, sequencerStartedAtMs, lastBlockAtMs, firstBlock },
      to: this.options.raft.nodeId,
      said: said?.cause,
      blockTimeMs: untold.blockTimeMs,
    });
    this.emit('changed', change, said);
  }
}

import { ConfigurationHistory, type Configuration, type NodeId } from './configuration.js';
import { invariant } from './invariant.js';
import type { Leadership } from './leadership-state.js';
import { RaftLog } from './log.js';
import type { Message } from './messages.js';
import type { CoreOptions, Limits } from './options.js';
import { Outbox, type Needs } from './outbox.js';
import type { Answer, CoreEvent, ElectionCause, Output, RejectReason, Role } from './outputs.js';
import { voterSets, type VoterSets } from './quorum.js';
import type { HardState, RestoredState } from './stored-state.js';
import type { Timing } from './timing.js';

/** One attempt to become leader. */
export interface Campaign {
  prevote: boolean;
  cause: ElectionCause;
  /** The transfer that this candidacy belongs to; 0 without one. */
  transferNumber: number;
  granted: Set<NodeId>;
  refused: Set<NodeId>;
  /** Longest time that a loyal voter said it stays loyal. */
  remainingMs: number;
  /** When a real election is given up. Until then, voters that have not answered are asked again. */
  endsAtMs: number;
  /** When the pre-votes of this candidacy were requested, by request id. */
  asked: Map<number, number>;
}

/** The whole state of one node. The modules beside this file change it; nothing else does. */
export class CoreContext {
  readonly id: NodeId;
  private readonly incarnation: string;
  readonly priority: number;
  private readonly ownTiming: Timing;
  private timingFound: { configuration: Configuration; timing: Timing } | undefined;
  readonly limits: Limits;

  /** Time and randomness of the current input. */
  now = 0;
  random = 0;
  private outputs: Output[] = [];
  /** Cached, because every step needs them several times. */
  private votersFound: { configuration: Configuration; sets: VoterSets; all: readonly NodeId[] } | undefined;
  lastRequestId = 0;
  /** When the current write began, if there is one. */
  writeBeganMs = -Infinity;

  term: number;
  votedFor: NodeId | null;
  readonly log: RaftLog;
  readonly configurations: ConfigurationHistory;
  readonly outbox: Outbox;

  commit: number;
  applied: number;
  role: Role = 'follower';
  leader: NodeId | null = null;
  /** Last leader this node knew. The ranking leaves it out after its death. */
  lastLeader: NodeId | null = null;
  lastLeaderContactMs = -Infinity;
  /** How long each message of its leader keeps this node loyal, as the leader last said. */
  loyaltyWindowMs: number;
  /** Until when this node is loyal. A later, shorter promise does not shorten it. */
  loyalUntilMs = -Infinity;
  /** The leader's process is proven dead, so loyalty to it is over. */
  leaderGone = false;
  electionDeadlineMs = Infinity;
  /** Set after a stall: until then this node may read orders of the leader that are out of date. */
  ignoreTakeoverUntilMs = -Infinity;
  /** Transfers of the leader of `term`, up to `number`, are over. */
  private endedTransfers = { term: 0, number: 0 };
  /** This node's rank, as the leader of that term last published it. */
  publishedRank: { term: number; rank: number } | null = null;
  eligibility = 1;
  /** This disk has lost what it had acknowledged, perhaps votes as well. The node takes no part in anything. */
  reverted: boolean;
  campaign: Campaign | null = null;
  /** Elections that this node started since the log last made progress. */
  fruitlessElections = 0;
  leadership: Leadership | null = null;
  /** Leaderships that this node gave up for lack of progress since its commits were last prompt. They make it patient. */
  fruitlessLeaderships = 0;
  /** Consecutive prompt commits of this leader. */
  promptCommits = 0;
  /** After a leadership without progress, this node is less eligible until then. */
  restsUntilMs = -Infinity;

  constructor(options: CoreOptions, restored: RestoredState) {
    this.id = options.id;
    this.incarnation = options.incarnation;
    this.priority = options.priority ?? 0;
    this.ownTiming = options.timing;
    this.loyaltyWindowMs = options.timing.electionTimeoutMs;
    this.limits = options.limits;
    this.term = restored.hardState.term;
    this.votedFor = restored.hardState.votedFor;
    this.reverted = restored.hardState.reverted === true;
    this.log = RaftLog.fromSnapshot(restored.snapshot, restored.headers);
    this.configurations = new ConfigurationHistory(restored.snapshot?.configuration, restored.configurations);
    this.outbox = new Outbox(this.log);
    this.applied = this.log.snapshotIndex;
    this.commit = Math.max(this.log.snapshotIndex, Math.min(restored.hardState.commit, this.log.lastIndex));
  }

  /** The timing in the cluster's configuration; this node's own if that has none. */
  get timing(): Timing {
    const { configuration } = this.configurations.latest;
    if (this.timingFound?.configuration !== configuration) {
      this.timingFound = { configuration, timing: { ...this.ownTiming, ...configuration.timing } };
    }
    return this.timingFound.timing;
  }

  transfersEnded(term: number): number {
    return this.endedTransfers.term === term ? this.endedTransfers.number : 0;
  }

  /** Ends a transfer that was given up or refused, so that a late order or vote request does not revive it. */
  endTransfers(term: number, number: number): void {
    this.endedTransfers = { term, number: Math.max(number, this.transfersEnded(term)) };
  }

  private get knownVoters(): { sets: VoterSets; all: readonly NodeId[] } {
    const { configuration } = this.configurations.latest;
    if (this.votersFound?.configuration !== configuration) {
      const sets = voterSets(configuration);
      this.votersFound = { configuration, sets, all: [...new Set(sets.flat())] };
    }
    return this.votersFound;
  }

  get voters(): VoterSets {
    return this.knownVoters.sets;
  }

  /** Every voter, once. */
  get allVoters(): readonly NodeId[] {
    return this.knownVoters.all;
  }

  isVoter(id: NodeId): boolean {
    return this.allVoters.includes(id);
  }

  /**
   * Voters may stand for election, and also a node whose removal is not committed yet: while only its own log holds
   * the new configuration, nobody else can win (Raft thesis §4.2.2, fig. 4.6). Its own vote does not count then.
   * A disk that replaced another does not stand before its log says so: until then the vote is the other's.
   */
  get mayStand(): boolean {
    const mayVote = (configuration: Configuration): boolean =>
      voterSets(configuration).some((voters) => voters.includes(this.id));
    return !this.reverted && this.isListedAsItself && this.configurations.someSince(this.commit, mayVote);
  }

  private get isListedAsItself(): boolean {
    const { members } = this.configurations.latest.configuration;
    const own = members.find(({ id }) => id === this.id);
    return own === undefined || own.incarnation === this.incarnation;
  }

  nextRequestId(): number {
    this.lastRequestId += 1;
    return this.lastRequestId;
  }

  setTerm(term: number, votedFor: NodeId | null): void {
    if (term > this.term) this.outbox.dropHeld();
    this.term = term;
    this.votedFor = votedFor;
    this.outbox.hardStateChanged();
  }

  get hardState(): HardState {
    const { term, votedFor, commit, reverted } = this;
    return reverted ? { term, votedFor, commit, reverted } : { term, votedFor, commit };
  }

  /** Moves the commit index forward, never back, and never beyond the log (I7, I12). */
  commitTo(index: number): void {
    if (index <= this.commit) return;
    invariant(
      index <= this.log.lastIndex,
      () => `commit ${index} beyond the log's end ${this.log.lastIndex}`,
    );
    this.commit = index;
    this.fruitlessElections = 0;
    this.emit({ type: 'commit', index });
  }

  send(to: NodeId, message: Message, needs: Needs): void {
    if (!this.outbox.hold(to, message, needs)) this.emit({ type: 'send', to, message });
  }

  answer(id: number, answer: Answer): void {
    this.emit({ type: 'answer', id, answer });
  }

  reject(id: number, reason: RejectReason, detail?: string): void {
    this.answer(id, { outcome: 'rejected', reason, ...(detail === undefined ? {} : { detail }) });
  }

  event(event: CoreEvent): void {
    this.emit({ type: 'event', event });
  }

  roleChanged(reason: string): void {
    this.event({ type: 'role', role: this.role, term: this.term, leader: this.leader, reason });
  }

  emit(output: Output): void {
    this.outputs.push(output);
  }

  takeOutputs(): Output[] {
    const outputs = this.outputs;
    this.outputs = [];
    return outputs;
  }
}

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
  /** The transfer by which it stands; 0 without one. */
  transferNumber: number;
  granted: Set<NodeId>;
  refused: Set<NodeId>;
  /** Longest time that a loyal voter said it stays loyal. */
  remainingMs: number;
  /** Of a real election: when it is given up; until then those who have not answered are asked again. */
  endsAtMs: number;
  /** Pre-votes that were asked for in this candidacy: when, by request id. */
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

  /** Of the input at hand. */
  now = 0;
  random = 0;
  private outputs: Output[] = [];
  /** Every step asks for them several times. */
  private votersFound: { configuration: Configuration; sets: VoterSets; all: readonly NodeId[] } | undefined;
  lastRequestId = 0;
  /** Of the write under way, if there is one. */
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
  /** Last leader this node knew, to leave it out of the ranking after its death. */
  lastLeader: NodeId | null = null;
  lastLeaderContactMs = -Infinity;
  /** How long each word of its leader keeps this node loyal, as that leader last said. */
  loyaltyWindowMs: number;
  /** Until when it is loyal: a promise that a later, shorter one does not take back. */
  loyalUntilMs = -Infinity;
  /** The leader's process is proven dead: loyalty to it is over. */
  leaderGone = false;
  electionDeadlineMs = Infinity;
  /** After a stall: orders of the leader that are read before then lay unread meanwhile, and may be over. */
  ignoreTakeoverUntilMs = -Infinity;
  /** Transfers of the leader of `term` that are over, up to `number`. */
  private endedTransfers = { term: 0, number: 0 };
  /** This node's place in the succession, as the leader of that term told it last. */
  publishedRank: { term: number; rank: number } | null = null;
  eligibility = 1;
  /** This disk has lost what it had acknowledged, perhaps votes as well: the node takes no part in anything. */
  reverted: boolean;
  campaign: Campaign | null = null;
  /** Elections that this node started since the log last made progress. */
  fruitlessElections = 0;
  leadership: Leadership | null = null;
  /** Leaderships that this node gave up for want of work since its commits were prompt; they make it patient. */
  fruitlessLeaderships = 0;
  /** Commits of this leader in a row that were prompt. */
  promptCommits = 0;
  /** After a leadership without work: until then this node is less eligible. */
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

  /** The timing of the cluster as its configuration has it; this node's own where that has none. */
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

  /** A transfer was given up or refused: an order or a vote request that comes late must not revive it. */
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

  /** Everybody with a vote, once. */
  get allVoters(): readonly NodeId[] {
    return this.knownVoters.all;
  }

  isVoter(id: NodeId): boolean {
    return this.allVoters.includes(id);
  }

  /**
   * Voters may stand for election, and also a node whose removal is not committed yet: while only its own log holds
   * the new configuration, nobody else can win (Raft thesis §4.2.2, fig. 4.6). Its own vote does not count then.
   * A disk that took the place of another does not stand before its log says so: until then the vote is the other's.
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

  /** Moves the commit index forward; never back, never beyond the log (I7, I12). */
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

import type { NodeId } from '../../core/configuration.js';
import type { Message } from '../../core/messages.js';
import { entryAt, lastIndexOf, type Server, type Transition } from './server.js';

/** The answer that the follower owes to an append. */
export interface OwedAnswer {
  success: boolean;
  matchIndex: number;
}

/** What one process has learned and promised. A crash forgets it, as the process does. */
export class Memory {
  /** Until when it is loyal to its leader, by its own clock: the latest time that it promised. */
  private loyalUntilMs = -Infinity;
  /** How long it is loyal to its leader: what the leader's heartbeats say, or before that its own election timeout. */
  private loyaltyWindowMs: number;
  leaderIsDead = false;
  /** When it last did anything. */
  private steppedMs = -Infinity;
  /** Who granted its last pre-vote request. */
  readonly promises = new Set<NodeId>();
  /** Who voted for it, in its term. */
  readonly votes = new Set<NodeId>();
  /** Leader: the highest index that each follower acknowledged in this term. */
  readonly match = new Map<NodeId, number>();
  /** Leader: the newest round of heartbeats, and the newest that each follower answered. */
  round = 0;
  readonly answeredRound = new Map<NodeId, number>();
  readonly reads = new Map<number, { commitIndex: number; round: number }>();
  /** Leader: the unfinished transfer. */
  transfer: number | undefined;
  /** Leader: whether its target has been told to stand. */
  isOrdered = false;
  /** Answers that are owed, by request. */
  private readonly owed = new Map<string, OwedAnswer[]>();

  /** What it says about its log as a candidate. */
  private readonly positions = new Map<string, string>();

  constructor(
    public server: Server,
    /** From its own configuration, before the first step. */
    private ownTimeoutMs: number,
  ) {
    this.loyaltyWindowMs = ownTimeoutMs;
  }

  owe(to: NodeId, { term, requestId }: Message, answer: OwedAnswer): void {
    const key = `${to} ${term} ${requestId}`;
    this.owed.set(key, [...(this.owed.get(key) ?? []), answer]);
  }

  owes(to: NodeId, { term, requestId }: Message): readonly OwedAnswer[] {
    return this.owed.get(`${to} ${term} ${requestId}`) ?? [];
  }

  /** Loyal to the leader: it heard from it within an election timeout, and has no proof of its death. */
  isLoyal({ before, input }: Transition): boolean {
    if (before.role === 'leader') return true;
    return before.leader !== null && !this.leaderIsDead && input.now < this.loyalUntilMs;
  }

  /** It asks for votes or pre-votes in `term`, with its log as it is now. */
  stands(type: 'vote' | 'preVote', term: number, position: string): void {
    this.positions.set(`${type} ${term}`, position);
  }

  stoodWith(type: 'vote' | 'preVote', term: number): string | undefined {
    return this.positions.get(`${type} ${term}`);
  }

  /** It did nothing for so long that the others may have elected another leader. */
  sleptThrough({ input, electionTimeoutMs }: Transition): boolean {
    return input.now - this.steppedMs >= electionTimeoutMs;
  }

  /** Records what the input says, before the step is judged. */
  hear({ before, input }: Transition): void {
    if (input.type === 'read') {
      this.reads.set(input.id, { commitIndex: before.commitIndex, round: this.round });
    }
    if (input.type !== 'message') return;
    const { from, message } = input;
    if (message.type === 'preVoteResponse' && message.granted) this.promises.add(from);
    if (message.term !== before.currentTerm) return;
    if (message.type === 'voteResponse' && message.granted) this.votes.add(from);
    if (before.role !== 'leader') return;
    const acknowledges =
      message.type === 'snapshotResponse' || (message.type === 'appendResponse' && message.success);
    if (acknowledges) this.match.set(from, Math.max(this.match.get(from) ?? 0, message.matchIndex));
    if (message.type === 'heartbeatResponse') {
      this.answeredRound.set(from, Math.max(this.answeredRound.get(from) ?? 0, message.round));
    }
  }

  /** Records the results of the step. */
  keep({ before, after, input, outputs, sent, electionTimeoutMs }: Transition): void {
    this.steppedMs = input.now;
    this.server = after;
    if (after.currentTerm !== before.currentTerm || after.leader !== before.leader) {
      this.loyaltyWindowMs = this.ownTimeoutMs;
      this.loyalUntilMs = -Infinity;
    }
    this.ownTimeoutMs = electionTimeoutMs;
    if (after.currentTerm !== before.currentTerm) this.votes.clear();
    const begins =
      after.role === 'leader' && (before.role !== 'leader' || after.currentTerm !== before.currentTerm);
    if (begins) {
      this.match.clear();
      this.answeredRound.clear();
      // A leader without peers sends no heartbeats.
      this.round = 0;
    }
    if (after.role !== 'leader') this.transfer = undefined;
    for (const output of outputs) {
      if (output.type === 'event' && output.event.type === 'electionStarted') this.promises.clear();
      if (output.type !== 'answer') continue;
      this.reads.delete(output.id);
      if (this.transfer === output.id) this.transfer = undefined;
    }
    for (const { message } of sent) if (message.type === 'heartbeat') this.round = message.round;
    if (input.type === 'transfer' && after.role === 'leader' && !outputs.some((o) => o.type === 'answer')) {
      this.transfer = input.id;
    }
    const isOrder = sent.some(({ message }) => message.type === 'timeoutNow');
    this.isOrdered = this.transfer !== undefined && (this.isOrdered || isOrder);
    if (input.type === 'peerGone' && before.role === 'follower' && before.leader === input.peer) {
      this.leaderIsDead = true;
    }
    if (after.currentTerm !== before.currentTerm || after.leader !== before.leader) this.leaderIsDead = false;
    if (input.type !== 'message') return;
    const { message } = input;
    const isFromLeader =
      message.type === 'append' || message.type === 'heartbeat' || message.type === 'snapshot';
    if (isFromLeader && message.term === after.currentTerm) {
      if (message.type === 'heartbeat') this.loyaltyWindowMs = message.electionTimeoutMs;
      this.loyalUntilMs = Math.max(this.loyalUntilMs, input.now + this.loyaltyWindowMs);
      this.leaderIsDead = false;
    }
  }

  /** The greatest index that is the same in this server's log and on its disk. */
  durableIndex({ after, disk }: Pick<Transition, 'after' | 'disk'>): number {
    let index = lastIndexOf(after);
    while (index > after.base.index && disk.hashAt(index) !== entryAt(after, index)?.hash) index -= 1;
    return index;
  }
}

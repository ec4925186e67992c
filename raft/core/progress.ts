import type { Limits } from './options.js';

interface Inflight {
  requestId: number;
  prevIndex: number;
  lastIndex: number;
  bytes: number;
  /** When it was sent, or last made progress. */
  movedAtMs: number;
}

/**
 * What the leader knows of one follower (after etcd's progress machine).
 *
 *   probe ──ack──▶ replicate ──refusal, lost request──▶ probe
 *     └──────── the log does not reach ──▶ snapshot ──ack──▶ replicate
 *   any ──less than was acknowledged──▶ reverted, until another disk replaces it
 *
 * Always 0 ≤ match < next.
 */
export class Progress {
  state: 'probe' | 'replicate' | 'snapshot' | 'reverted' = 'probe';
  match = 0;
  /** The greatest `match` so far. */
  acknowledgedIndex = 0;
  /** The last request sent before `match` got its current value. Answers to later ones must reflect that value. */
  private matchedAtRequest = 0;
  /** Send time of the newest heartbeat that was acknowledged (at first: when it became a peer), and its round. */
  ackedSentAtMs: number;
  ackedRound = 0;
  /** The same without the allowance for newcomers: since then it has promised loyalty. */
  promisedFromMs = -Infinity;
  /**
   * A new voter has until then to answer at the cluster's pace, since it may be starting on a busy machine. Until then the
   * leader does not count its silence as the loss of a quorum.
   */
  probationUntilMs = -Infinity;
  /** When the last answer of any kind came. */
  heardAtMs = -Infinity;
  /** Where its log ended at its last answer to a heartbeat, including what is not yet on disk. */
  lastIndex = 0;
  /** How the last request with entries failed; undefined since one succeeded. */
  failure: string | undefined;
  /** Bytes that it has received of what follows `match`. */
  private arriving = { after: 0, bytes: 0 };
  eligibility = 1;
  priority = 0;
  /** After a lost request, nothing is sent before this time, so that a dead peer is not flooded. */
  pausedUntilMs = -Infinity;
  private inflight: Inflight[] = [];

  constructor(
    public next: number,
    now: number,
    /** The disk that acknowledges. */
    readonly incarnation: string,
  ) {
    this.ackedSentAtMs = now;
  }

  get inflightRequests(): number {
    return this.inflight.length;
  }

  get inflightBytes(): number {
    return this.inflight.reduce((sum, request) => sum + request.bytes, 0);
  }

  canSend(limits: Limits, now: number): boolean {
    if (this.state === 'reverted' || now < this.pausedUntilMs) return false;
    if (this.state !== 'replicate') return this.inflight.length === 0;
    return this.inflight.length < limits.inflightRequestsMax && this.inflightBytes < limits.inflightBytesMax;
  }

  sent(request: Inflight): void {
    this.inflight.push(request);
    if (this.state === 'replicate') this.next = request.lastIndex + 1;
  }

  /** Takes the request off the list; undefined when it is not on it (any longer). */
  settle(requestId: number): Inflight | undefined {
    const position = this.inflight.findIndex((request) => request.requestId === requestId);
    return position < 0 ? undefined : this.inflight.splice(position, 1)[0];
  }

  acknowledged(matchIndex: number, lastRequestId: number): void {
    if (matchIndex > this.match) {
      this.match = matchIndex;
      this.acknowledgedIndex = matchIndex;
      this.matchedAtRequest = lastRequestId;
    }
    this.next = Math.max(this.next, this.match + 1);
    this.state = 'replicate';
    this.pausedUntilMs = -Infinity;
    this.failure = undefined;
  }

  /**
   * The follower has this many bytes of a request. True when it has more of what it needs next than ever before: a request
   * that is repeated and always lost at the same place makes no progress.
   */
  arrived(requestId: number, bytes: number, now: number): boolean {
    const request = this.inflight.find((candidate) => candidate.requestId === requestId);
    if (!request) return false;
    if (this.state !== 'snapshot' && request.prevIndex !== this.match) return false;
    if (this.arriving.after !== this.match) this.arriving = { after: this.match, bytes: 0 };
    if (bytes <= this.arriving.bytes) return false;
    this.arriving.bytes = bytes;
    request.movedAtMs = now;
    return true;
  }

  /**
   * True when the log of the follower ended at `lastIndex` although it had acknowledged more before it got the
   * request. Answers may overtake each other, and those to requests from before the acknowledgement prove nothing.
   */
  isReversion(requestId: number, lastIndex: number): boolean {
    return requestId > this.matchedAtRequest && lastIndex < this.match;
  }

  /** From now on nothing that this disk says counts, and nothing is sent to it. */
  revert(): void {
    this.state = 'reverted';
    this.match = 0;
    this.next = 1;
    this.inflight = [];
    this.ackedRound = 0;
    this.promisedFromMs = -Infinity;
  }

  /** Searches for the common point again, starting at `next`. */
  probeFrom(next: number): void {
    this.state = 'probe';
    this.next = Math.max(next, this.match + 1);
    this.inflight = [];
  }

  /** Frees requests that nobody will answer. True when there were any. */
  expire(olderThanMs: number): boolean {
    if (!this.inflight.some((request) => request.movedAtMs <= olderThanMs)) return false;
    this.probeFrom(this.match + 1);
    return true;
  }
}

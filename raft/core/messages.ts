import type { Entry } from './entries.js';
import type { SnapshotMeta } from './stored-state.js';

interface Envelope {
  /** Term of the sender. For a pre-vote request: the term it would campaign in. */
  term: number;
  /** Pairs a response with its request; drawn by the requester. */
  requestId: number;
}

export interface PreVoteRequest extends Envelope {
  type: 'preVote';
  lastIndex: number;
  lastTerm: number;
}

export interface VoteRequest extends Envelope {
  type: 'vote';
  lastIndex: number;
  lastTerm: number;
  /**
   * The transfer (TimeoutNow) by which this node stands, as the leader of the term before counts them: loyalty to that
   * leader does not apply, unless it has given up this transfer meanwhile. 0 without one.
   */
  transferNumber: number;
}

interface VoteAnswer extends Envelope {
  granted: boolean;
  /** For a refusal out of loyalty to a live leader: how long that will last still, in ms. */
  remainingMs: number;
}

export interface PreVoteResponse extends VoteAnswer {
  type: 'preVoteResponse';
}

export interface VoteResponse extends VoteAnswer {
  type: 'voteResponse';
}

export interface AppendRequest extends Envelope {
  type: 'append';
  prevIndex: number;
  prevTerm: number;
  prevHash: number;
  commit: number;
  entries: readonly Entry[];
}

export interface AppendResponse extends Envelope {
  type: 'appendResponse';
  success: boolean;
  /** Success: the last index that is durable here and equal to the sender's log. */
  matchIndex: number;
  /** Refusal: where the leader should look next (Raft thesis §3.5, by term). */
  conflictIndex: number;
  conflictTerm: number;
}

export interface HeartbeatRequest extends Envelope {
  type: 'heartbeat';
  round: number;
  /** min(commit, what this follower acknowledged): it may always be applied. */
  commit: number;
  /** How long a follower that answers stays loyal: the election timeout by which this leader computes its lease. */
  electionTimeoutMs: number;
  /** What this follower acknowledged to this leader: it must still have it. */
  acknowledged: number;
  /**
   * Chain hash of the leader's log at `acknowledged`, or at `commit` if that is greater: that of the follower must be the
   * same. Undefined when the leader does not say.
   */
  logHash: number | undefined;
  /** Up to this one, the transfers of this leader are over: who still stands by one has no claim to a vote. */
  transfersEnded: number;
  /** Place of this follower in the succession, 0 first; no two followers have the same one of a leader. */
  rank: number;
}

export interface HeartbeatResponse extends Envelope {
  type: 'heartbeatResponse';
  round: number;
  /** End of the log, on disk or about to be. */
  lastIndex: number;
  /** How fit this node is to lead, as its application sees it; greater is better, 0 is unfit. */
  eligibility: number;
  /** As configured; decides between nodes that are equally fit. Greater is better. */
  priority: number;
  /** Its disk lost what it had acknowledged: nothing that it holds or says counts. */
  reverted: boolean;
}

export interface SnapshotRequest extends Envelope {
  type: 'snapshot';
  /** `data` is undefined in the core: the runtime reads the stored snapshot when it sends. */
  snapshot: SnapshotMeta & { data: Uint8Array | undefined };
}

export interface SnapshotResponse extends Envelope {
  type: 'snapshotResponse';
  /** The last index that is durable here after the installation. */
  matchIndex: number;
}

export interface TimeoutNowRequest extends Envelope {
  type: 'timeoutNow';
  /** Counted by this leader, from 1. */
  transferNumber: number;
  lastIndex: number;
  lastTerm: number;
}

export interface TimeoutNowResponse extends Envelope {
  type: 'timeoutNowResponse';
  accepted: boolean;
}

export type RequestMessage =
  PreVoteRequest | VoteRequest | AppendRequest | HeartbeatRequest | SnapshotRequest | TimeoutNowRequest;

export type ResponseMessage =
  PreVoteResponse | VoteResponse | AppendResponse | HeartbeatResponse | SnapshotResponse | TimeoutNowResponse;

export type Message = RequestMessage | ResponseMessage;

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
   * The transfer (TimeoutNow) that makes this node stand, by its leader's numbers. Loyalty to that leader does not apply,
   * unless it has given up this transfer. 0 without one.
   */
  transferNumber: number;
}

interface VoteAnswer extends Envelope {
  granted: boolean;
  /** For a refusal out of loyalty to a live leader: how much longer the loyalty lasts, in ms. */
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
  /** How long a follower that answers stays loyal: the election timeout that this leader's lease is computed from. */
  electionTimeoutMs: number;
  /** What this follower acknowledged to this leader and so must still have. */
  acknowledged: number;
  /**
   * Chain hash of the leader's log at `acknowledged`, or at `commit` if that is greater. The follower's must be equal.
   * Undefined when the leader does not say.
   */
  logHash: number | undefined;
  /** The transfers of this leader up to this number are over: a candidacy that rests on one gets no votes. */
  transfersEnded: number;
  /** Rank of this follower, 0 first. A leader gives each follower another rank. */
  rank: number;
}

export interface HeartbeatResponse extends Envelope {
  type: 'heartbeatResponse';
  round: number;
  /** End of the log, on disk or about to be. */
  lastIndex: number;
  /** How fit this node is to lead, as its application sees it; greater is better, 0 is unfit. */
  eligibility: number;
  /** The configured priority. Decides between nodes that are equally fit. Greater is better. */
  priority: number;
  /** Its disk lost what it had acknowledged, so nothing that it holds or says counts. */
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
  /** Numbered by this leader, from 1. */
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

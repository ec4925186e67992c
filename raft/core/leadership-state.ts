import type { NodeId } from './configuration.js';
import type { Progress } from './progress.js';

/** A read that waits for proof of leadership: an acknowledged heartbeat round that began after it. */
export interface PendingRead {
  id: number;
  index: number;
  round: number;
}

export interface PendingTransfer {
  /** Id of the request; null when the leader leaves by its own decision. */
  id: number | null;
  to: NodeId;
  /** While the target lacks entries up to here, this node leads as usual. */
  catchUpTo: number;
  /** From then on, proposals are rejected. */
  isClosed: boolean;
  /** Deadline of catching up; after that, of the rest. */
  deadlineMs: number;
  /** Id of the TimeoutNow; null before it is sent. From then on the target decides the outcome. */
  requestId: number | null;
}

/** A request to be told when a voter has the log up to here, before a transfer to it. */
export interface Preparation {
  id: number;
  to: NodeId;
  index: number;
  deadlineMs: number;
}

/** Why a leader decides to leave: a write that does not end, or no progress, since that time. */
export interface Leaving {
  because: 'disk' | 'work';
  sinceMs: number;
}

/** State that exists only while this node leads. */
export interface Leadership {
  /** Index of the empty entry of this term. Once it is committed, the leader is ready. */
  readonly noopIndex: number;
  ready: boolean;
  readonly progress: Map<NodeId, Progress>;
  round: number;
  /** Send time by heartbeat round. */
  readonly roundSentAtMs: Map<number, number>;
  heartbeatDueMs: number;
  /** Request id of each proposal or change, by log index. */
  readonly pending: Map<number, number>;
  uncommittedBytes: number;
  readsBeforeReady: number[];
  reads: PendingRead[];
  /** Request id of the replacement in progress. */
  replacementRequest: number | null;
  transfer: PendingTransfer | null;
  preparations: Preparation[];
  /** Only heartbeats sent after this give a lease, because an earlier transfer may still succeed. */
  leaseCountsFromMs: number;
  /** When an uncommitted entry last made progress, or began to wait. */
  workedAtMs: number;
  /** The lack of progress was reported, and this node stays. */
  isIdlenessTold: boolean;
  /** This node makes no progress as leader and is about to leave. */
  leaving: Leaving | null;
  /** From here the quorum has the time to answer that the current timing allows. */
  quorumGraceFromMs: number;
}

import type { NodeId } from './configuration.js';
import type { Progress } from './progress.js';

/** A read that waits for proof of leadership: an acknowledged heartbeat round that began after it. */
export interface PendingRead {
  id: number;
  index: number;
  round: number;
}

export interface PendingTransfer {
  /** Who asked; null for a leader that leaves on its own account. */
  id: number | null;
  to: NodeId;
  /** While the target lacks what was in the log up to here, this node leads on as ever. */
  catchUpTo: number;
  /** From then on no proposals are taken. */
  isClosed: boolean;
  /** Of catching up; when that is done, of the rest. */
  deadlineMs: number;
  /** Id of the TimeoutNow; null before it went out. From then on the outcome is the target's. */
  requestId: number | null;
}

/** Somebody wants to know when a voter has the log up to here, before it transfers leadership to it. */
export interface Preparation {
  id: number;
  to: NodeId;
  index: number;
  deadlineMs: number;
}

/** Why a leader leaves on its own account: a write that does not end, or nothing that got further, since then. */
export interface Leaving {
  because: 'disk' | 'work';
  sinceMs: number;
}

/** State that exists only while this node leads. */
export interface Leadership {
  /** Index of the empty entry of this term; leadership is complete once it is committed. */
  readonly noopIndex: number;
  ready: boolean;
  readonly progress: Map<NodeId, Progress>;
  round: number;
  /** Send time by heartbeat round. */
  readonly roundSentAtMs: Map<number, number>;
  heartbeatDueMs: number;
  /** Proposal or change by log index: who asked. */
  readonly pending: Map<number, number>;
  uncommittedBytes: number;
  readsBeforeReady: number[];
  reads: PendingRead[];
  /** Who asked for the replacement whose joint configuration is under way. */
  replacementRequest: number | null;
  transfer: PendingTransfer | null;
  preparations: Preparation[];
  /** Only heartbeats that were sent after this give a lease: an earlier transfer may still take it. */
  leaseCountsFromMs: number;
  /** When anything that waits for its commit got further, or began to wait. */
  workedAtMs: number;
  /** That nothing got further for too long was told, and this node stays. */
  isIdlenessTold: boolean;
  /** This node is of no use as leader, and is about to leave. */
  leaving: Leaving | null;
  /** From here on the quorum has the time that the timing in force gives it to answer. */
  quorumGraceFromMs: number;
}

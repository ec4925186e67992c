import type { Logger } from 'pino';
import type { Member, NodeId } from '../core/configuration.js';
import type { RequestMessage, ResponseMessage, SnapshotRequest } from '../core/messages.js';
import type { Limits } from '../core/options.js';
import type { CoreEvent, LogPosition, RejectReason } from '../core/outputs.js';
import type { Timing } from '../core/timing.js';
import type { SnapshotSource } from '../storage/snapshot-stream.js';
import type { Storage } from '../storage/storage.js';
import type { TransportHost } from '../transport/transport-host.js';
import type { Retention } from './compaction.js';
import type { StateMachine } from './state-machine.js';

/** The part of the transport that the node uses. Production uses http-transport.ts. */
export interface NodeTransport {
  /** Listens, and delivers to this node what comes in. */
  start(host: TransportHost): Promise<{ host: string; port: number }>;
  stop(): Promise<void>;
  setPeers(members: readonly Member[]): void;
  /** `onProgress` hears how many bytes of the request the peer has confirmed so far, where the transport can tell. */
  send(to: NodeId, message: RequestMessage, onProgress?: (bytes: number) => void): Promise<ResponseMessage>;
  /** Sends the peer the data of a snapshot that it lacks, then the message. */
  sendSnapshot(
    to: NodeId,
    message: SnapshotRequest,
    source: SnapshotSource,
    signal: AbortSignal,
    onProgress?: (bytes: number) => void,
  ): Promise<ResponseMessage>;
  probe(peer: NodeId): Promise<'gone' | 'alive' | 'unknown'>;
}

export interface RaftNodeOptions<Result> {
  nodeId: NodeId;
  /** Preference for this node as leader among equally fit ones: an integer below 2^32, greater is better. */
  priority: number;
  /** Whether to accept proof that the leader's process is gone. The lease is then advisory, since loyalty may end early. */
  crashEvidence: boolean;
  /** The timing of a cluster that this node founds. In any other cluster it uses the cluster's. */
  timing: Timing;
  limits: Limits;
  retention: Retention;
  /** A write to `storage` that takes longer is a failure of the disk. 30 s by default. */
  writeLimitMs?: number;
  storage: Storage;
  stateMachine: StateMachine<Result>;
  logger: Logger;
  /** The node cannot continue: storage failed or an invariant broke. The process must end. */
  onFatal(error: Error): void;
}

/**
 * How a request to the cluster ended. `rejected`: it had no effect and never will. `unknown`: it may have taken effect or
 * may still do so. If `at` is given, `RaftNode.outcomeOf(at)` on any node tells later.
 */
export type Outcome<T> =
  | ({ outcome: 'done'; index: number; term: number } & T)
  | { outcome: 'rejected'; reason: RejectReason | 'stopped'; detail?: string }
  | { outcome: 'unknown'; reason: string; at?: LogPosition };

/** The events of a node. */
export interface RaftNodeEvents {
  /** Role, term, leader or readiness changed. */
  role: [event: Extract<CoreEvent, { type: 'role' }>];
  leaderReady: [];
  configuration: [event: Extract<CoreEvent, { type: 'configuration' }>];
  /** Entries were applied up to this index. */
  applied: [index: number];
  /** The node has stopped, by `stop` or because it could not continue. */
  stopped: [];
  /**
   * A peer has answered a request; `status()` has what it said of itself. Fires with every heartbeat, so handlers must be
   * cheap.
   */
  answered: [peer: NodeId];
  // For metrics:
  /** Two processes speak for this peer: one of them runs on a copy of the other's disk. */
  identityUsedTwice: [peer: NodeId];
  /** A disk lost what it had confirmed: this node's, or another's, as found by this leader. */
  reverted: [event: Extract<CoreEvent, { type: 'reverted' }>];
  electionStarted: [event: Extract<CoreEvent, { type: 'electionStarted' }>];
  /** This many more entries are committed. */
  committed: [entries: number];
  /** A synced write of the log has ended. */
  stored: [durationMs: number];
  /** A command of this node has been committed and applied. */
  proposed: [took: { replicateMs: number; applyMs: number }];
}

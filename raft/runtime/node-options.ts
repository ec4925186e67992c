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

/** The part of the transport that the node uses; http-transport.ts is the one for production. */
export interface NodeTransport {
  /** Listens; what comes in goes to this node. */
  start(host: TransportHost): Promise<{ host: string; port: number }>;
  stop(): Promise<void>;
  setPeers(members: readonly Member[]): void;
  /** `onProgress` hears how many bytes of the request the peer has confirmed so far, where the transport can tell. */
  send(to: NodeId, message: RequestMessage, onProgress?: (bytes: number) => void): Promise<ResponseMessage>;
  /** Brings the data of a snapshot to the peer, as far as it lacks them, and then the message. */
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
  /** Preference of this node as leader among equally fit ones: an integer below 2^32, greater is better. */
  priority: number;
  /** Believe proof that the leader's process is gone; the lease is advisory then, since loyalty to a leader ends early. */
  crashEvidence: boolean;
  /** The timing of a cluster that this node founds; in another it goes by that of the cluster. */
  timing: Timing;
  limits: Limits;
  retention: Retention;
  /** A write to `storage` that has not ended by then is a failure of the disk; 30 s unless given. */
  writeLimitMs?: number;
  storage: Storage;
  stateMachine: StateMachine<Result>;
  logger: Logger;
  /** The node cannot continue: storage failed or an invariant broke. The process must end. */
  onFatal(error: Error): void;
}

/**
 * How a request to the cluster ended. `rejected`: it had no effect and never will. `unknown`: it may have taken
 * effect or may still do so; only the log can tell, later: `RaftNode.outcomeOf(at)`, on any node, where `at` is given.
 */
export type Outcome<T> =
  | ({ outcome: 'done'; index: number; term: number } & T)
  | { outcome: 'rejected'; reason: RejectReason | 'stopped'; detail?: string }
  | { outcome: 'unknown'; reason: string; at?: LogPosition };

/** What a node tells those who listen. */
export interface RaftNodeEvents {
  /** Role, term, leader or readiness changed. */
  role: [event: Extract<CoreEvent, { type: 'role' }>];
  leaderReady: [];
  configuration: [event: Extract<CoreEvent, { type: 'configuration' }>];
  /** Entries were applied up to this index. */
  applied: [index: number];
  /** It takes part no more, by `stop` or because it could not go on. */
  stopped: [];
  /** A peer has answered a request; `status()` has what it said of itself. With every heartbeat, so keep it cheap. */
  answered: [peer: NodeId];
  // For those who count and measure:
  /** Two processes speak for this peer: one of them runs on a copy of the other's disk. */
  identityUsedTwice: [peer: NodeId];
  /** A disk lost what it had confirmed: that of this node, or, as this leader found, of another. */
  reverted: [event: Extract<CoreEvent, { type: 'reverted' }>];
  electionStarted: [event: Extract<CoreEvent, { type: 'electionStarted' }>];
  /** So many more entries are committed. */
  committed: [entries: number];
  /** A synced write of the log has ended. */
  stored: [durationMs: number];
  /** A command of this node is committed and applied. */
  proposed: [took: { replicateMs: number; applyMs: number }];
}

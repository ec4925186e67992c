import type { NodeId } from '../core/configuration.js';
import type { RequestMessage, ResponseMessage } from '../core/messages.js';
import type { SnapshotChunkRequest } from './wire-message.js';

/** Answers a request; null says that no answer will come, so that the peer need not wait for its deadline. */
export type Respond = (response: ResponseMessage | null) => void;

/** The node that a transport carries messages for: who it is, and what becomes of what comes in. */
export interface TransportHost {
  readonly nodeId: NodeId;
  clusterId(): string | null;
  incarnation(): string;
  /** For how long the disk has not finished a write, ms; 0 when none is under way. */
  writingForMs(): number;
  /** Answers through `respond`, later or never. */
  onRequest(from: NodeId, message: RequestMessage, respond: Respond): void;
  /** A piece of a snapshot came; answers how many bytes of it are there, or null to refuse it. */
  onSnapshotChunk(from: NodeId, chunk: SnapshotChunkRequest): Promise<number | null>;
  /** A connection on which this peer sent heartbeats closed; resolves once that is looked into. */
  onPeerDisconnected(peer: NodeId): Promise<void>;
  /** Another process speaks for this peer than before: the one before is gone. */
  onPeerRestarted(peer: NodeId): void;
  /** Two processes speak for this peer: one of them runs on a copy of the other's disk. */
  onIdentityUsedTwice(peer: NodeId): void;
  /** The first frame meant for this disk came, while it belongs to no cluster yet. */
  adoptCluster(clusterId: string): Promise<void>;
}

import type { NodeId } from '../core/configuration.js';
import type { RequestMessage, ResponseMessage } from '../core/messages.js';
import type { SnapshotChunkRequest } from './wire-message.js';

/** Answers a request; null says that no answer will come, so that the peer need not wait for its deadline. */
export type Respond = (response: ResponseMessage | null) => void;

/** The node that a transport carries messages for: its identity, and its handling of incoming messages. */
export interface TransportHost {
  readonly nodeId: NodeId;
  clusterId(): string | null;
  incarnation(): string;
  /** How long a write of the disk has been under way, ms; 0 when none is. */
  writingForMs(): number;
  /** Answers through `respond`, later or never. */
  onRequest(from: NodeId, message: RequestMessage, respond: Respond): void;
  /** A piece of a snapshot came; answers how many bytes of it are there, or null to refuse it. */
  onSnapshotChunk(from: NodeId, chunk: SnapshotChunkRequest): Promise<number | null>;
  /** A connection on which this peer sent heartbeats closed; resolves once that has been examined. */
  onPeerDisconnected(peer: NodeId): Promise<void>;
  /** A new process speaks for this peer: the previous one is gone. */
  onPeerRestarted(peer: NodeId): void;
  /** Two processes speak for this peer: one of them runs on a copy of the other's disk. */
  onIdentityUsedTwice(peer: NodeId): void;
  /** The first frame for this disk came, while it belongs to no cluster yet. */
  adoptCluster(clusterId: string): Promise<void>;
}

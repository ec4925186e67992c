import type { Logger } from 'pino';
import type { NodeId } from '../core/configuration.js';
import type { RequestMessage, SnapshotRequest } from '../core/messages.js';
import type { Identity } from '../storage/storage.js';
import type { Respond, TransportHost } from '../transport/transport-host.js';
import type { SnapshotChunkRequest } from '../transport/wire-message.js';
import type { CorePump } from './core-pump.js';
import { CrashEvidence } from './crash-evidence.js';
import type { SnapshotTraffic } from './snapshot-traffic.js';

export interface PeerInboxOptions {
  nodeId: NodeId;
  identity: () => Identity;
  adoptCluster: (clusterId: string) => Promise<void>;
  /** The newest term that the core is in. */
  term: () => number;
  pump: Pick<CorePump, 'deliver' | 'isRunning'>;
  snapshots: Pick<SnapshotTraffic, 'keep' | 'complete'>;
  /** Whether proof that the leader's process is gone counts. */
  crashEvidence: boolean;
  /** The leader of this node; null without one, and for a node that is not running. */
  leader: () => NodeId | null;
  probe: (peer: NodeId) => Promise<'gone' | 'alive' | 'unknown'>;
  /** How long the current write has been running, in ms; 0 without one. */
  writingForMs: () => number;
  /** Two processes speak for this peer. */
  onIdentityUsedTwice: (peer: NodeId) => void;
  logger: Logger;
  /** The disk failed. */
  onError: (error: Error) => void;
}

/** Passes what the network delivers on to the core. */
export class PeerInbox implements TransportHost {
  private readonly evidence: CrashEvidence | undefined;

  constructor(private readonly options: PeerInboxOptions) {
    const { crashEvidence, leader, term, probe, pump, logger } = options;
    if (!crashEvidence) return;
    const onGone = (peer: NodeId): void => pump.deliver({ type: 'peerGone', peer });
    this.evidence = new CrashEvidence({ leader, term, probe, onGone, logger });
  }

  get nodeId(): NodeId {
    return this.options.nodeId;
  }

  clusterId(): string | null {
    return this.options.identity().clusterId;
  }

  incarnation(): string {
    return this.options.identity().incarnation;
  }

  writingForMs(): number {
    return this.options.writingForMs();
  }

  adoptCluster(clusterId: string): Promise<void> {
    return this.options.adoptCluster(clusterId);
  }

  onRequest(from: NodeId, message: RequestMessage, respond: Respond): void {
    if (message.type === 'snapshot' && message.snapshot.data === undefined) {
      void this.onSnapshot(from, message, respond).catch(this.options.onError);
    } else {
      this.options.pump.deliver({ type: 'message', from, message }, respond);
    }
  }

  /** Keeps a piece of a snapshot; answers how much of it is there, or null when its sender no longer leads. */
  async onSnapshotChunk(from: NodeId, chunk: SnapshotChunkRequest): Promise<number | null> {
    const { pump, term, snapshots, onError } = this.options;
    if (!pump.isRunning || chunk.term < term()) return null;
    try {
      return await snapshots.keep(from, chunk);
    } catch (error) {
      onError(error as Error);
      return null;
    }
  }

  /** A peer's connections are closed. Its process may be dead; if it leads, its host is probed. */
  async onPeerDisconnected(peer: NodeId): Promise<void> {
    await this.evidence?.disconnected(peer);
  }

  onPeerRestarted(peer: NodeId): void {
    this.evidence?.restarted(peer);
  }

  onIdentityUsedTwice(peer: NodeId): void {
    this.options.onIdentityUsedTwice(peer);
  }

  /** The core gets the whole snapshot or none of it. Without the data, the sender begins again. */
  private async onSnapshot(from: NodeId, message: SnapshotRequest, respond: Respond): Promise<void> {
    const { pump, snapshots } = this.options;
    const complete = pump.isRunning ? await snapshots.complete(message) : undefined;
    if (complete) pump.deliver({ type: 'message', from, message: complete }, respond);
    else respond(null);
  }
}

import type { Logger } from 'pino';
import type { NodeId } from '../core/configuration.js';
import type { ResponseMessage, SnapshotRequest } from '../core/messages.js';
import { RECEIVED_SNAPSHOT_BYTES_MAX } from '../storage/snapshot-stream.js';
import type { Storage } from '../storage/storage.js';
import type { SnapshotChunkRequest } from '../transport/wire-message.js';
import type { NodeTransport } from './node-options.js';

/** Moves snapshots between disk and network. The core sees only complete ones, and memory holds only one piece. */
export class SnapshotTraffic {
  /** Snapshots in transfer, by receiver. */
  private readonly underWay = new Map<NodeId, AbortController>();

  constructor(
    private readonly storage: Pick<Storage, 'openSnapshot' | 'receiveSnapshot' | 'takeReceivedSnapshot'>,
    private readonly logger: Logger,
  ) {}

  /** One at a time to each peer. The core gave up the previous one, and this one continues where that stopped. */
  async send(
    transport: Pick<NodeTransport, 'sendSnapshot'>,
    to: NodeId,
    message: SnapshotRequest,
    onProgress?: (bytes: number) => void,
  ): Promise<ResponseMessage> {
    this.underWay.get(to)?.abort();
    const controller = new AbortController();
    this.underWay.set(to, controller);
    try {
      const source = await this.storage.openSnapshot();
      if (source?.id.index !== message.snapshot.index) throw new Error('the snapshot was replaced');
      return await transport.sendSnapshot(to, message, source, controller.signal, onProgress);
    } finally {
      if (this.underWay.get(to) === controller) this.underWay.delete(to);
    }
  }

  /** Keeps a piece. Returns how much of the snapshot is there, or null when it is refused. @throws StorageError */
  async keep(from: NodeId, { snapshot, offset, data }: SnapshotChunkRequest): Promise<number | null> {
    if (snapshot.byteLength > RECEIVED_SNAPSHOT_BYTES_MAX) {
      this.logger.error({ peer: from, bytes: snapshot.byteLength }, 'snapshot refused: it is too large');
      return null;
    }
    return this.storage.receiveSnapshot(snapshot, offset, data);
  }

  /** The message with the data that were kept for it; undefined while they are incomplete. @throws StorageError */
  async complete(message: SnapshotRequest): Promise<SnapshotRequest | undefined> {
    const data = await this.storage.takeReceivedSnapshot(message.snapshot);
    return data && { ...message, snapshot: { ...message.snapshot, data } };
  }

  /** Stops sending. */
  end(): void {
    for (const controller of this.underWay.values()) controller.abort();
  }
}

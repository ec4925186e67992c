import type { LoadedEntry } from '../core/entries.js';
import type { Persist } from '../core/outputs.js';
import type { RestoredState, Snapshot, SnapshotMeta } from '../core/stored-state.js';
import type { SnapshotId, SnapshotSource } from './snapshot-stream.js';

/** Who a data directory belongs to. Written once, before anything else. */
export interface Identity {
  nodeId: string;
  /** Random at first start, because a wiped disk is another node. 32 hex digits. */
  incarnation: string;
  /** Random id of the cluster, 32 hex digits; null until the node founded or joined one. */
  clusterId: string | null;
  /** How often the cluster was recovered from the loss of its quorum, as far as this disk knows. Absent means never. */
  epoch?: number | undefined;
}

/**
 * The disk of one node. After a rejected promise the process must end: the disk's content is then unknown, and a retry
 * could succeed over a hole.
 */
export interface Storage {
  /** Opens, checks everything and returns what was found. Creates the identity in an empty directory. */
  open(nodeId: string): Promise<{ identity: Identity; state: RestoredState }>;
  /** Remembers the cluster that this node founded or joined. Refused if it already belongs to another. */
  setClusterId(clusterId: string): Promise<void>;
  /**
   * One atomic, synced write. Only one at a time.
   *
   * @param clusterId the cluster that this write founds: both are stored, or neither
   */
  write(persist: Persist, clusterId?: string): Promise<void>;
  /** Entries `from`…`to` with their data, checked against their CRC; fewer when `maxBytes` is reached, but at least one. */
  readEntries(from: number, to: number, maxBytes: number): Promise<LoadedEntry[]>;
  readSnapshot(): Promise<Snapshot | null>;
  /** The stored snapshot, to be sent piece by piece; null when there is none. */
  openSnapshot(): Promise<SnapshotSource | null>;
  /**
   * Keeps a piece of a snapshot that a peer sends, apart from the node's state. One snapshot at a time: a piece of another
   * starts over, and so does a restart.
   *
   * @returns how many bytes of this snapshot are there now. The piece is ignored unless it begins where they end
   */
  receiveSnapshot(id: SnapshotId, offset: number, data: Uint8Array): Promise<number>;
  /** Takes the data of a received snapshot out of the storage, if complete and sound. */
  takeReceivedSnapshot(of: SnapshotMeta): Promise<Uint8Array | undefined>;
  close(): Promise<void>;
}

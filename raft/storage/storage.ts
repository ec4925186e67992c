import type { LoadedEntry } from '../core/entries.js';
import type { Persist } from '../core/outputs.js';
import type { RestoredState, Snapshot, SnapshotMeta } from '../core/stored-state.js';
import type { SnapshotId, SnapshotSource } from './snapshot-stream.js';

/** Who a data directory belongs to. Written once, before anything else. */
export interface Identity {
  nodeId: string;
  /** Random at first start: a wiped disk is another node. 32 hex digits. */
  incarnation: string;
  /** Random id of the cluster, 32 hex digits; null until the node founded or joined one. */
  clusterId: string | null;
  /** How often the cluster was recovered from the loss of its quorum, as far as this disk knows; absent: never. */
  epoch?: number | undefined;
}

/**
 * The disk of one node. A rejected promise means the process must end: what is on disk is then unknown, and a
 * retry could succeed over a hole.
 */
export interface Storage {
  /** Opens, checks everything and returns what was found; creates the identity on an empty directory. */
  open(nodeId: string): Promise<{ identity: Identity; state: RestoredState }>;
  /** Remembers the cluster this node founded or joined; refused when it already belongs to another. */
  setClusterId(clusterId: string): Promise<void>;
  /**
   * One atomic, synced write. Never more than one at a time.
   *
   * @param clusterId the cluster that this write founds: remembered with it, or neither
   */
  write(persist: Persist, clusterId?: string): Promise<void>;
  /** Entries `from`…`to` with their data, checked against their CRC; fewer when `maxBytes` is reached (at least one). */
  readEntries(from: number, to: number, maxBytes: number): Promise<LoadedEntry[]>;
  readSnapshot(): Promise<Snapshot | null>;
  /** The stored snapshot, to be sent piece by piece; null when there is none. */
  openSnapshot(): Promise<SnapshotSource | null>;
  /**
   * Keeps a piece of a snapshot that a peer sends, apart from the node's state. One snapshot at a time: a piece of
   * another starts anew, and so does a restart.
   *
   * @returns how many bytes of this snapshot are there now; the piece is ignored unless it begins right there
   */
  receiveSnapshot(id: SnapshotId, offset: number, data: Uint8Array): Promise<number>;
  /** The data of a received snapshot, if complete and sound; they are gone from the storage then. */
  takeReceivedSnapshot(of: SnapshotMeta): Promise<Uint8Array | undefined>;
  close(): Promise<void>;
}

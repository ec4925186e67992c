import type { IndexedConfiguration, NodeId } from './configuration.js';
import type { EntryHeader } from './entries.js';

/** What must be on disk before a node may speak of it. `commit` is a hint that is written along. */
export interface HardState {
  term: number;
  votedFor: NodeId | null;
  commit: number;
  /** The disk has lost what it had acknowledged. This is permanent: only another disk can replace it. */
  reverted?: boolean;
}

/** Where the log begins: everything up to and including `index` is in the snapshot. */
export interface SnapshotMeta {
  index: number;
  term: number;
  chainHash: number;
  configuration: IndexedConfiguration;
}

export interface Snapshot extends SnapshotMeta {
  data: Uint8Array;
}

/** What storage found at start. */
export interface RestoredState {
  hardState: HardState;
  snapshot: SnapshotMeta | null;
  /** Headers of all entries after the snapshot, without a gap. */
  headers: readonly EntryHeader[];
  /** Configurations found in those entries, oldest first. */
  configurations: readonly IndexedConfiguration[];
}

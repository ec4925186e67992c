import type { Configuration, NodeId } from './configuration.js';
import type { LoadedEntry } from './entries.js';
import type { Message } from './messages.js';
import type { HardState, Snapshot } from './stored-state.js';

/** One atomic, synced write. Only one is outstanding; `stored` closes it. */
export interface Persist {
  type: 'persist';
  seq: number;
  hardState: HardState;
  /** Delete entries from here on before appending. */
  truncateFrom: number | undefined;
  entries: readonly LoadedEntry[];
  /** Replaces the stored snapshot; entries up to its index are deleted. */
  snapshot: Snapshot | undefined;
  /** True when the log restarts after the snapshot, because it was received: all entries are deleted. */
  resetLog: boolean;
}

export type RejectReason =
  | 'not-leader'
  | 'transfer-in-progress'
  | 'too-many-uncommitted'
  | 'no-such-member'
  | 'not-a-voter'
  | 'already-leader'
  | 'configuration-changed'
  | 'change-in-progress'
  | 'no-commit-in-term'
  | 'last-voter'
  | 'would-lose-quorum'
  | 'invalid-timing'
  | 'no-change'
  | 'duplicate-address'
  | 'other-disk'
  | 'not-empty'
  | 'superseded'
  | 'transfer-timeout';

/** Identifies one entry: if two logs have an entry with this index and term, it is the same one. */
export interface LogPosition {
  index: number;
  term: number;
}

/**
 * The end of a proposal, read, transfer or change. `rejected` means it never took effect and never will;
 * `unknown` means that only the later fate of the entry `at` can tell, if there is one.
 */
export type Answer =
  | { outcome: 'done'; index: number; term: number }
  | { outcome: 'rejected'; reason: RejectReason; detail?: string }
  | { outcome: 'unknown'; reason: string; at?: LogPosition };

/**
 * What became of an entry: committed; superseded, because another is committed at its index; not yet decided; or
 * forgotten, because this log no longer reaches back to it.
 */
export type Fate = 'committed' | 'replaced' | 'open' | 'forgotten';

export type Role = 'follower' | 'candidate' | 'leader';

/**
 * Why a node stands for election: the leader was silent for the election timeout; the leader's process is proven gone;
 * the leader transfers leadership; the previous candidacy brought no leader.
 */
export type ElectionCause = 'timeout' | 'leader-gone' | 'transfer' | 'retry';

/**
 * How a loss of acknowledged entries shows: the log is shorter; it has other entries; the node itself says so, because its
 * disk has a note of it.
 */
export type ReversionProof = 'shorter' | 'other-entries' | 'noted';

/**
 * Why a voter lacks an entry: it does not answer at all (`silent`); it answers heartbeats, but the entry does not reach
 * it (`link`); it has the entry in memory, but its disk has not confirmed it (`disk`); its disk lost what it had
 * confirmed (`reverted`).
 */
export interface Obstacle {
  node: NodeId;
  what: 'silent' | 'link' | 'disk' | 'reverted';
  /** How the last request with entries failed, in the transport's words; absent when none did. */
  failure?: string;
}

export type CoreEvent =
  | { type: 'role'; role: Role; term: number; leader: NodeId | null; reason: string }
  | { type: 'leaderReady'; term: number; index: number }
  | { type: 'configuration'; index: number; configuration: Configuration; reason: string }
  | { type: 'electionStarted'; term: number; cause: ElectionCause; prevote: boolean }
  | { type: 'snapshotInstalled'; index: number; from: NodeId }
  /** A write of this leader takes so long that it transfers leadership. */
  | { type: 'diskHangs'; forMs: number; successor: NodeId }
  /**
   * The entry at `index` of this leader made no progress for this long, although its heartbeats are answered. It transfers
   * leadership to a successor that has everything, steps down, or stays because nobody else could lead.
   */
  | {
      type: 'noWork';
      forMs: number;
      index: number;
      obstacles: readonly Obstacle[];
      then: 'transfer' | 'step-down' | 'stay';
      successor: NodeId | null;
    }
  /**
   * The disk of `node` lost what it had confirmed: it acknowledged up to `acknowledged`, if that is known, but its log
   * ends at `found` and does not have it.
   */
  | { type: 'reverted'; node: NodeId; proof: ReversionProof; acknowledged: number; found: number };

export type Output =
  | Persist
  | { type: 'send'; to: NodeId; message: Message }
  /** Everything up to `index` is committed. */
  | { type: 'commit'; index: number }
  /** The application's state is replaced by this snapshot. */
  | { type: 'restore'; snapshot: Snapshot }
  | { type: 'answer'; id: number; answer: Answer }
  | { type: 'event'; event: CoreEvent }
  /** An invariant is broken, so the process must end. */
  | { type: 'halt'; reason: string };

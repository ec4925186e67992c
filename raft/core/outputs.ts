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
  /** True when the log itself restarts after the snapshot (it was received): all entries are deleted. */
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

/** Names one entry forever: two logs that have an entry of this index and term have the same one. */
export interface LogPosition {
  index: number;
  term: number;
}

/**
 * The end of a proposal, read, transfer or change. `rejected` means it never took effect and never will;
 * `unknown` means that only a later look can tell: at what becomes of the entry `at`, if there is one.
 */
export type Answer =
  | { outcome: 'done'; index: number; term: number }
  | { outcome: 'rejected'; reason: RejectReason; detail?: string }
  | { outcome: 'unknown'; reason: string; at?: LogPosition };

/**
 * What became of an entry: committed, or never to be, since another is committed in its place; not decided yet, or this
 * log does not reach back to it any more.
 */
export type Fate = 'committed' | 'replaced' | 'open' | 'forgotten';

export type Role = 'follower' | 'candidate' | 'leader';

/**
 * Why a node stands for election: no word from the leader for the election timeout; proof that the leader's process is
 * gone; the leader transfers leadership; the candidacy before brought no leader.
 */
export type ElectionCause = 'timeout' | 'leader-gone' | 'transfer' | 'retry';

/**
 * How a node is known to have lost what it acknowledged: its log is shorter; it holds other entries; that was noted on its
 * disk before, and it says so.
 */
export type ReversionProof = 'shorter' | 'other-entries' | 'noted';

/**
 * Why a voter lacks an entry: it does not answer at all (`silent`); it answers heartbeats, and the entry does not reach
 * it (`link`); it has the entry in memory, and its disk has not confirmed it (`disk`); its disk lost what it had
 * confirmed before (`reverted`).
 */
export interface Obstacle {
  node: NodeId;
  what: 'silent' | 'link' | 'disk' | 'reverted';
  /** How the last request with entries failed, as the transport put it; absent when none did. */
  failure?: string;
}

export type CoreEvent =
  | { type: 'role'; role: Role; term: number; leader: NodeId | null; reason: string }
  | { type: 'leaderReady'; term: number; index: number }
  | { type: 'configuration'; index: number; configuration: Configuration; reason: string }
  | { type: 'electionStarted'; term: number; cause: ElectionCause; prevote: boolean }
  | { type: 'snapshotInstalled'; index: number; from: NodeId }
  /** A write of this leader has been under way for so long that it transfers leadership. */
  | { type: 'diskHangs'; forMs: number; successor: NodeId }
  /**
   * The entry at `index` of this leader made no progress for this long although its heartbeats are answered. It transfers leadership
   * to a successor that has everything, steps down, or stays because nobody else could lead.
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
   * `node` acknowledged up to `acknowledged`, as far as that is known, and its log, which ends at `found`, does not have it:
   * its disk lost what it had confirmed.
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
  /** An invariant is broken; the process must end. */
  | { type: 'halt'; reason: string };

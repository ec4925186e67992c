import type { LoadedEntry } from '../core/entries.js';
import type { Snapshot } from '../core/stored-state.js';

/**
 * The replicated state. `apply` must depend only on the entries so far: every node runs it on the same log and must
 * arrive at the same state.
 */
export interface StateMachine<Result> {
  /** Applies one committed command; called in log order, once per start of the process. */
  apply(entry: LoadedEntry): Result;
  /**
   * The state right after entry `index`, which may be older than the current state. Entries after it stay in the log, so an
   * old snapshot costs nothing and keeps them readable. `read` fetches entries up to `index`.
   */
  snapshotAt(index: number, read: (index: number) => Promise<LoadedEntry>): Promise<Uint8Array>;
  /** Replaces the state. */
  restore(snapshot: Snapshot): void;
}

import { decodeConfiguration } from '../core/configuration.js';
import type { HardState, LoadedEntry, Persist, RestoredState, Snapshot } from '../core/types.js';
import { check } from './violation.js';

/**
 * What a node would find after a crash. Kept apart from the node's memory: only finished writes arrive here, each
 * of them whole (one LevelDB batch).
 */
export class SimulatedDisk {
  hardState: HardState = { term: 0, votedFor: null, commit: 0 };
  snapshot: Snapshot | null = null;
  private entries: LoadedEntry[] = [];

  get snapshotIndex(): number {
    return this.snapshot?.index ?? 0;
  }

  get lastIndex(): number {
    return this.snapshotIndex + this.entries.length;
  }

  get isEmpty(): boolean {
    return this.hardState.term === 0 && this.lastIndex === 0;
  }

  entry(index: number): LoadedEntry | undefined {
    return this.entries[index - this.snapshotIndex - 1];
  }

  /** Chain hash at `index`; undefined when it is beyond the end or deep in the snapshot. */
  hashAt(index: number): number | undefined {
    if (index === this.snapshotIndex) return this.snapshot?.chainHash ?? 0;
    return this.entry(index)?.chainHash;
  }

  apply(write: Persist): void {
    this.hardState = write.hardState;
    if (write.resetLog) {
      check(write.snapshot !== undefined, 'storage', () => 'the log was reset without a snapshot');
      this.snapshot = write.snapshot;
      this.entries = [];
    }
    if (write.truncateFrom !== undefined) {
      const kept = write.truncateFrom - this.snapshotIndex - 1;
      check(kept >= 0, 'storage', () => `truncation at ${write.truncateFrom} reaches into the snapshot`);
      this.entries.length = Math.min(this.entries.length, kept);
    }
    for (const entry of write.entries) {
      const { index } = entry;
      check(
        index === this.lastIndex + 1,
        'storage',
        () => `entry ${index} was written after ${this.lastIndex}`,
      );
      // A core that drops data from memory too early would write nothing.
      check(entry.data?.length === entry.byteLength, 'storage', () => `entry ${index} has the wrong length`);
      this.entries.push(entry);
    }
    if (write.snapshot && !write.resetLog) this.compactTo(write.snapshot);
  }

  private compactTo(snapshot: Snapshot): void {
    const { index, chainHash } = snapshot;
    check(
      index > this.snapshotIndex && this.hashAt(index) === chainHash,
      'storage',
      () => `snapshot at ${index} of what is not on this disk`,
    );
    this.entries.splice(0, index - this.snapshotIndex);
    this.snapshot = snapshot;
  }

  restore(): RestoredState {
    return {
      hardState: this.hardState,
      snapshot: this.snapshot,
      headers: this.entries,
      configurations: this.entries
        .filter((entry) => entry.kind === 'config')
        .map(({ index, data }) => ({ index, configuration: decodeConfiguration(data) })),
    };
  }
}

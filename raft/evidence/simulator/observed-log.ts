import type { Entry } from '../../core/entries.js';
import type { RaftLog } from '../../core/log.js';

/** How one step changed a log. */
export interface LogChange {
  /** The first removed entry and its index; undefined when none was removed. */
  removed: Entry | undefined;
  /** The new entries are `from`…`to`; empty when `from > to`. */
  from: number;
  to: number;
  /** The log starts over after a received snapshot. */
  reset: boolean;
}

/**
 * The log of a node after its last step. Chain hashes make the comparison cheap: an equal hash means that everything before
 * is equal as well.
 */
export class ObservedLog {
  private entries: (Entry | undefined)[] = [];
  private snapshotIndex = 0;
  private snapshotHash = 0;
  lastIndex = 0;
  private lastHash = 0;
  /** Indexes of the configuration entries after the snapshot. */
  configurationIndexes: number[] = [];

  /** Updates to the current log. Returns the difference, or null. */
  update(log: RaftLog): LogChange | null {
    if (
      log.lastIndex === this.lastIndex &&
      log.lastHash === this.lastHash &&
      log.snapshotIndex === this.snapshotIndex
    ) {
      return null;
    }
    let common = Math.min(log.lastIndex, this.lastIndex);
    while (common > log.snapshotIndex && this.hashAt(common) !== log.hashAt(common)) common -= 1;
    const reset =
      common <= log.snapshotIndex && this.hashAt(log.snapshotIndex) !== log.hashAt(log.snapshotIndex);
    const firstGone = reset ? this.snapshotIndex + 1 : common + 1;
    const change: LogChange = {
      removed: this.lastIndex >= firstGone ? this.entries[firstGone] : undefined,
      from: (reset ? log.snapshotIndex : common) + 1,
      to: log.lastIndex,
      reset,
    };
    this.configurationIndexes = this.configurationIndexes.filter(
      (index) => index < firstGone && index > log.snapshotIndex,
    );
    this.entries.length = Math.min(this.entries.length, Math.max(firstGone, 1));
    for (let index = change.from; index <= change.to; index++) {
      const entry = log.get(index) as Entry;
      this.entries[index] = entry;
      if (entry.kind === 'config') this.configurationIndexes.push(index);
    }
    this.snapshotIndex = log.snapshotIndex;
    this.snapshotHash = log.hashAt(log.snapshotIndex) as number;
    this.lastIndex = log.lastIndex;
    this.lastHash = log.lastHash;
    return change;
  }

  private hashAt(index: number): number | undefined {
    if (index === this.snapshotIndex) return this.snapshotHash;
    return index > this.snapshotIndex && index <= this.lastIndex ? this.entries[index]?.chainHash : undefined;
  }
}

import type { RaftCore } from '../core/raft-core.js';

export interface Retention {
  /** The log is shortened when its data exceed this many bytes, or its entries this number. */
  bytesMax: number;
  entriesMax: number;
}

/** After a compaction this part of the cap is left, so that compactions stay rare. */
const KEEP = 0.75;

/**
 * The index to compact to, or undefined while the log is within its bounds. Bytes count as well as entries: ten
 * thousand blocks of 1 MB would be 10 GB (raft.md §1).
 */
export function compactionTarget(
  core: Pick<RaftCore, 'logExtent' | 'entry'>,
  appliedIndex: number,
  retention: Retention,
): number | undefined {
  const { snapshotIndex, lastIndex, durableIndex, bytes } = core.logExtent();
  if (bytes <= retention.bytesMax && lastIndex - snapshotIndex <= retention.entriesMax) return undefined;
  // The newest applied entry stays, so that the head is always in the log.
  const highest = Math.min(appliedIndex - 1, durableIndex);
  let index = snapshotIndex;
  let left = bytes;
  while (
    index < highest &&
    (left > retention.bytesMax * KEEP || lastIndex - index > retention.entriesMax * KEEP)
  ) {
    index += 1;
    left -= core.entry(index)?.byteLength ?? 0;
  }
  return index > snapshotIndex ? index : undefined;
}

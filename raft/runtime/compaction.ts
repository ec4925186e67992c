import type { RaftCore } from '../core/raft-core.js';
import type { Applier } from './applier.js';
import type { LogReader } from './log-reader.js';
import type { StateMachine } from './state-machine.js';

export interface Retention {
  /** The log is shortened when it exceeds this many bytes of data, or this many entries. */
  bytesMax: number;
  entriesMax: number;
}

/** A compaction leaves this fraction of the bound, so that compactions stay rare. */
const KEEP = 0.75;

/**
 * The index to compact to, or undefined while the log is within its bounds. Bytes count as well as entries, because ten
 * thousand commands of 1 MB would be 10 GB.
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

export interface CompactorOptions {
  log: Pick<LogReader, 'read'>;
  applier: Pick<Applier<unknown>, 'appliedIndex' | 'version'>;
  stateMachine: Pick<StateMachine<unknown>, 'snapshotAt'>;
  retention: Retention;
  /** The log may now begin after `index`. */
  onSnapshot(index: number, data: Uint8Array): void;
}

/** Lets a snapshot of the state machine replace the beginning of a log that is too long. One runs at a time. */
export class Compactor {
  private compacting = false;

  constructor(private readonly options: CompactorOptions) {}

  async compactIfDue(core: Pick<RaftCore, 'logExtent' | 'entry'>): Promise<void> {
    if (this.compacting) return;
    const { applier, stateMachine, log, retention } = this.options;
    const { appliedIndex, version } = applier;
    const index = compactionTarget(core, appliedIndex, retention);
    if (index === undefined) return;
    this.compacting = true;
    try {
      const data = await stateMachine.snapshotAt(index, async (at) => {
        const [entry] = await log.read(at, at, 0);
        if (!entry) throw new Error(`entry ${at} is not in the log`);
        return entry;
      });
      this.options.onSnapshot(index, data);
    } catch (error) {
      // A snapshot from the leader replaced the entries that this one was made from.
      if (version === applier.version) throw error;
    } finally {
      this.compacting = false;
    }
  }
}

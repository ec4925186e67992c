import { EMPTY_CHAIN_HASH } from '../core/chain-hash.js';
import type { HardState } from '../core/stored-state.js';

/** A position in the log. Equal positions mean equal logs up to there. */
export interface LogPosition {
  index: number;
  term: number;
  chainHash: number;
}

/** Before the first entry. */
export const ORIGIN: LogPosition = { index: 0, term: 0, chainHash: EMPTY_CHAIN_HASH };

/**
 * What the disk holds. Rewritten with every write, it decides which entries count. Records outside
 * `base.index + 1 … last.index` are leftovers.
 */
export interface Manifest {
  /** Number of writes so far, over all runs of the process. */
  writeSeq: number;
  hardState: HardState;
  /** Where the log begins: the position of the snapshot, or ORIGIN. */
  base: LogPosition;
  /** Where it ends; equals `base` for an empty log. */
  last: LogPosition;
}

export const EMPTY_MANIFEST: Manifest = {
  writeSeq: 0,
  hardState: { term: 0, votedFor: null, commit: 0 },
  base: ORIGIN,
  last: ORIGIN,
};

export function positionOf({ index, term, chainHash }: LogPosition): LogPosition {
  return { index, term, chainHash };
}

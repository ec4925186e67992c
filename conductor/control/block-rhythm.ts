import type { ChainState } from '../chain/chain-state.js';

/** How late a block may be before it counts as missed. */
const GRACE_MS = 300;

/** Knows when the next block is due: op-nodes build one after the other, in equal intervals. */
export class BlockRhythm {
  private committedAtMs = Infinity;

  constructor(private readonly chain: Pick<ChainState, 'head' | 'blockAt'>) {}

  /** A block was committed. */
  committed(nowMs: number): void {
    this.committedAtMs = nowMs;
  }

  /** The block after the committed head should have been committed by now. */
  isOverdue(nowMs: number): boolean {
    const intervalMs = this.intervalMs();
    return intervalMs !== undefined && nowMs - this.committedAtMs > intervalMs + GRACE_MS;
  }

  /** From the timestamps of the newest two blocks; undefined unless both are known. */
  private intervalMs(): number | undefined {
    const { head } = this.chain;
    const parent = head && this.chain.blockAt(head.number - 1);
    if (head?.timestamp === undefined || !parent) return undefined;
    return (head.timestamp - parent.timestamp) * 1000;
  }
}

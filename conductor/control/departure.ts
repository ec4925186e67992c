import type { BlockId } from '../../rpc/payload/block-ref.js';

/** Two polls that lie further apart say nothing together: the client may have been restarted in between. */
const MAX_PAUSE_MS = 3000;

interface Departed {
  /** Highest committed block that the client still has. */
  at: BlockId;
  sinceMs: number;
}

/**
 * Notes when the local client leaves the committed chain by itself: a committed block that it had at one good poll is
 * gone at the next. A client that was killed and comes back without its newest blocks is not meant: in between there is
 * a poll that fails. The difference is evidence (see reset-evidence.ts), so whatever is unclear does not count.
 */
export class Departure {
  private departed: Departed | undefined;
  private seen: { block: BlockId; atMs: number } | undefined;

  /** @param isCommitted false for a block that the log itself has replaced or taken back */
  constructor(private readonly isCommitted: (block: BlockId) => boolean) {}

  /** Highest committed block that the client had left when it last left by itself; null while it has not. */
  get leftAt(): BlockId | null {
    return this.departed?.at ?? null;
  }

  /** For how long it has been away. */
  awayMs(nowMs: number): number {
    return this.departed ? nowMs - this.departed.sinceMs : 0;
  }

  /**
   * A good poll.
   *
   * @param common highest committed block that the client has; undefined when nobody can tell
   * @param passes it goes through the committed head
   */
  note(common: BlockId | undefined, passes: boolean, nowMs: number): void {
    const before = this.seen;
    this.seen = common && { block: common, atMs: nowMs };
    if (passes) this.departed = undefined;
    if (passes || !common) return;
    const isLoss =
      before !== undefined &&
      nowMs - before.atMs <= MAX_PAUSE_MS &&
      common.number < before.block.number &&
      this.isCommitted(before.block);
    if (isLoss) this.departed = { at: common, sinceMs: nowMs };
    else if (this.departed && common.number > this.departed.at.number) this.departed.at = common;
  }

  /** A poll failed: what the next one finds may be the doing of a crash. */
  interrupted(): void {
    this.seen = undefined;
  }
}

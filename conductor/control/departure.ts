import type { BlockId } from '../../rpc/payload/block-ref.js';

/** Two polls further apart than this prove nothing together: the client may have restarted in between. */
const MAX_PAUSE_MS = 3000;

/** The client had one committed block and then only another. */
interface Loss {
  from: BlockId;
  to: BlockId;
  /** How often in a row it was this same loss. */
  times: number;
}

interface Departed {
  /** The committed block that it lost. Once the log has taken that back, the client has left nothing. */
  from: BlockId;
  /** Highest committed block that the client still has. */
  at: BlockId;
  sinceMs: number;
}

/**
 * Notes when the local client leaves the committed chain by itself: a committed block that it had at one successful
 * poll is gone at the next. This excludes a client that was killed and comes back without its newest blocks: a poll
 * fails in between. The difference is evidence (see reset-evidence.ts), so unclear cases do not count.
 */
export class Departure {
  private departed: Departed | undefined;
  private loss: Loss | undefined;
  private seen: { block: BlockId; atMs: number } | undefined;

  /** @param isCommitted false for a block that the log itself has replaced or taken back */
  constructor(private readonly isCommitted: (block: BlockId) => boolean) {}

  /** Highest committed block that the client had left when it last left by itself; null while it has not. */
  get leftAt(): BlockId | null {
    return this.current?.at ?? null;
  }

  /** When it left, on the monotonic clock; undefined while it has not. */
  get sinceMs(): number | undefined {
    return this.current?.sinceMs;
  }

  /** How often in a row it has lost the same blocks by itself after it was given them again. */
  get times(): number {
    return this.loss?.times ?? 0;
  }

  /**
   * A successful poll.
   *
   * @param common highest committed block that the client has; undefined when unknown
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
    if (isLoss) this.left(before.block, common, nowMs);
    else if (this.current && common.number > this.current.at.number) this.current.at = common;
  }

  private get current(): Departed | undefined {
    return this.departed && this.isCommitted(this.departed.from) ? this.departed : undefined;
  }

  private left(from: BlockId, at: BlockId, sinceMs: number): void {
    this.departed = { from, at, sinceMs };
    const before = this.loss && this.isCommitted(this.loss.from) ? this.loss : undefined;
    // On its way back it has lost a part of the same blocks: that is neither a repetition nor another loss.
    if (before && from.number < before.from.number && at.number >= before.to.number) return;
    const isSame = before?.from.hash === from.hash && before.to.hash === at.hash;
    this.loss = { from, to: at, times: isSame ? this.times + 1 : 1 };
  }

  /** A poll failed: a crash may have caused what the next one finds. */
  interrupted(): void {
    this.seen = undefined;
  }
}

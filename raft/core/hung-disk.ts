import type { CoreContext } from './context.js';
import type { Leadership } from './leadership-state.js';
import { becomeFollower } from './step-down.js';
import { bestSuccessor } from './succession.js';
import { beginTransfer } from './transfer.js';

/** Election timeouts that a leader's write may take: disks that are merely slow are no reason to leave (bug 16). */
const PATIENCE_IN_TIMEOUTS = 4;

/**
 * A leader whose disk hangs could lead on, as its followers commit without it; its heartbeats say nothing of its disk
 * (bug 56). It hands over, and when nobody took over in time it steps back. While no other voter answers it stays: nobody
 * else could lead.
 *
 * @returns true when its leadership is over
 */
export function leaveHungDisk(ctx: CoreContext, leadership: Leadership): boolean {
  const forMs = ctx.outbox.isWriting ? ctx.now - ctx.writeBeganMs : 0;
  const overdueMs = forMs - PATIENCE_IN_TIMEOUTS * ctx.timing.electionTimeoutMs;
  if (overdueMs < 0) return false;
  const to = bestSuccessor(ctx, leadership);
  if (to === undefined) return false;
  if (overdueMs >= ctx.timing.transferTimeoutMs) {
    // cover: a leader with a hung disk steps back
    // hung-disk.test.ts "steps back when nobody took over in time, and cannot win before its disk is well"
    becomeFollower(ctx, ctx.term, null, `a write has not ended for ${Math.round(forMs)} ms`);
    return true;
  }
  if (!leadership.transfer) {
    // cover: a leader with a hung disk hands over
    // hung-disk.test.ts "hands over then, to whom it would hand over anyway, and says why"
    ctx.event({ type: 'diskHangs', forMs, successor: to });
    beginTransfer(ctx, leadership, null, to);
  }
  return false;
}

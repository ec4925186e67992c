import type { CoreContext } from './context.js';
import type { Leadership } from './leadership-state.js';
import { leave } from './leaving.js';
import { leaderPatienceMs } from './patience.js';
import { bestSuccessor } from './succession.js';

/**
 * A leader whose disk hangs could lead on, as its followers commit without it; its heartbeats say nothing of its disk.
 * It transfers leadership, and when nobody took over in time it steps down. While no other voter answers it stays: nobody
 * else could lead.
 *
 * @returns true when its leadership is over
 */
export function leaveHungDisk(ctx: CoreContext, leadership: Leadership): boolean {
  if (!ctx.outbox.isWriting) return false;
  const forMs = ctx.now - ctx.writeBeganMs;
  if (forMs < leaderPatienceMs(ctx)) return false;
  const to = bestSuccessor(ctx, leadership);
  if (to === undefined) return false;
  // cover: a leader with a hung disk transfers leadership
  // hung-disk.test.ts "transfers leadership then, to whom it would transfer leadership anyway, and says why"
  ctx.event({ type: 'diskHangs', forMs, successor: to });
  return leave(ctx, leadership, { because: 'disk', sinceMs: ctx.writeBeganMs }, to);
}

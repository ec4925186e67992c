import type { CoreContext } from './context.js';
import type { Leadership } from './leadership-state.js';
import { leave } from './leaving.js';
import { leaderPatienceMs } from './patience.js';
import { bestSuccessor } from './succession.js';

/**
 * A leader with a hung disk could go on leading: its followers commit without it, and its heartbeats say nothing of its
 * disk. So it transfers leadership, and steps down if nobody takes over in time. While no other voter answers, it stays,
 * because nobody else could lead.
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
  // hung-disk.test.ts "transfers leadership then, to its usual successor, and says why"
  ctx.event({ type: 'diskHangs', forMs, successor: to });
  return leave(ctx, leadership, { because: 'disk', sinceMs: ctx.writeBeganMs }, to);
}

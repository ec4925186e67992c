import type { NodeId } from './configuration.js';
import type { CoreContext } from './context.js';
import type { Leadership, Leaving } from './leadership-state.js';
import { noteFruitlessLeadership } from './patience.js';
import { becomeFollower } from './step-down.js';
import { beginTransfer } from './transfer.js';

/**
 * Starts a transfer to this node, or steps down if there is none, because this leader makes no progress.
 *
 * @returns true when its leadership is over
 */
export function leave(
  ctx: CoreContext,
  leadership: Leadership,
  leaving: Leaving,
  to: NodeId | undefined,
): boolean {
  noteFruitlessLeadership(ctx);
  leadership.leaving = leaving;
  if (to === undefined) return stepDown(ctx, leaving);
  if (!leadership.transfer) beginTransfer(ctx, leadership, null, to);
  return false;
}

/**
 * A leader that is about to leave steps down when nobody has taken over in time, unless it makes progress again.
 *
 * @returns true when its leadership is over
 */
export function goOnLeaving(ctx: CoreContext, leadership: Leadership): boolean {
  const { leaving } = leadership;
  if (!leaving) return false;
  if (!holdsStill(ctx, leadership, leaving)) {
    leadership.leaving = null;
    return false;
  }
  return leadership.transfer === null && stepDown(ctx, leaving);
}

function holdsStill(ctx: CoreContext, leadership: Leadership, { because, sinceMs }: Leaving): boolean {
  return because === 'disk'
    ? ctx.outbox.isWriting && ctx.writeBeganMs === sinceMs
    : leadership.workedAtMs === sinceMs;
}

const REASONS: Record<Leaving['because'], string> = {
  disk: 'a write has not finished',
  work: 'nothing was committed',
};

function stepDown(ctx: CoreContext, { because, sinceMs }: Leaving): true {
  // cover: a leader that is of no use steps down
  // hung-disk.test.ts "steps down when nobody has taken over in time, and cannot win before its disk recovers"
  becomeFollower(ctx, ctx.term, null, `${REASONS[because]} for ${Math.round(ctx.now - sinceMs)} ms`);
  return true;
}

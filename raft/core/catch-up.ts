import type { NodeId } from './configuration.js';
import type { CoreContext } from './context.js';
import type { Leadership } from './leadership-state.js';
import { obstacleAt } from './obstacles.js';
import type { RejectReason } from './outputs.js';

/** Why leadership cannot be transferred to this node; undefined when it can. */
export function whyNoSuccessor(
  ctx: CoreContext,
  leadership: Leadership,
  to: NodeId,
): { reason: RejectReason; detail: string } | undefined {
  if (to === ctx.id) return { reason: 'already-leader', detail: 'cannot transfer leadership to itself' };
  if (!leadership.progress.has(to)) return { reason: 'no-such-member', detail: `${to} is not a member` };
  if (!ctx.isVoter(to)) return { reason: 'not-a-voter', detail: `${to} is not a voter` };
  return undefined;
}

/**
 * The first half of a transfer, during which this node leads as usual: `done` once the voter has everything that was in the
 * log at the time of the request, so that little is left to wait for.
 */
export function onPrepareTransfer(ctx: CoreContext, id: number, to: NodeId): void {
  const { leadership } = ctx;
  if (!leadership) return ctx.reject(id, 'not-leader');
  const problem = whyNoSuccessor(ctx, leadership, to);
  if (problem) return ctx.reject(id, problem.reason, problem.detail);
  const deadlineMs = ctx.now + ctx.timing.transferTimeoutMs;
  leadership.preparations.push({ id, to, index: ctx.log.lastIndex, deadlineMs });
  settlePreparations(ctx, leadership);
}

/** Answers the requests that are complete or out of time. */
export function settlePreparations(ctx: CoreContext, leadership: Leadership): void {
  if (leadership.preparations.length === 0) return;
  leadership.preparations = leadership.preparations.filter(({ id, to, index, deadlineMs }) => {
    const problem = whyNoSuccessor(ctx, leadership, to);
    if (problem) ctx.reject(id, problem.reason, problem.detail);
    else if (hasCaughtUp(leadership, to, index)) {
      ctx.answer(id, { outcome: 'done', index, term: ctx.log.termAt(index) ?? ctx.term });
    } else if (ctx.now >= deadlineMs) {
      ctx.reject(id, 'transfer-timeout', whyBehind(ctx, leadership, to, index));
    } else return true;
    return false;
  });
}

export const hasCaughtUp = ({ progress }: Leadership, to: NodeId, index: number): boolean =>
  (progress.get(to)?.match ?? 0) >= index;

/** For people: why the voter does not have the entry at `index`. */
export function whyBehind(ctx: CoreContext, leadership: Leadership, to: NodeId, index: number): string {
  const { what, failure } = obstacleAt(ctx, leadership, to, index) ?? { what: 'link' };
  return `${to} did not catch up in time (${what}${failure === undefined ? '' : `: ${failure}`})`;
}

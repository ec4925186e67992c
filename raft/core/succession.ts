import type { NodeId } from './configuration.js';
import type { CoreContext } from './context.js';
import type { Leadership } from './leadership-state.js';
import type { Progress } from './progress.js';

/**
 * The other voters in the order in which they should lead next. Those that answer come first, by fitness, possession of
 * all committed entries, configured priority and length of the log. Ties rotate with the term, so that a node that always
 * fails is not always first. The order delays candidates and picks successors but never vetoes, because
 * the only node with the whole log may be the last.
 */
export function successors(ctx: CoreContext, leadership: Leadership): NodeId[] {
  const voters = [...leadership.progress.keys()].filter((id) => ctx.isVoter(id)).sort();
  const shift = voters.length - (ctx.term % voters.length);
  return voters
    .map((id, at) => ({
      id,
      turned: (at + shift) % voters.length,
      progress: leadership.progress.get(id) as Progress,
    }))
    .sort(
      ({ progress: a, turned: aTurned }, { progress: b, turned: bTurned }) =>
        Number(answers(ctx, b)) - Number(answers(ctx, a)) ||
        b.eligibility - a.eligibility ||
        Number(b.match >= ctx.commit) - Number(a.match >= ctx.commit) ||
        b.priority - a.priority ||
        b.match - a.match ||
        aTurned - bTurned,
    )
    .map(({ id }) => id);
}

/** True when it answered a heartbeat of the last lease. */
export const answers = (ctx: CoreContext, { state, ackedSentAtMs }: Progress): boolean =>
  state !== 'reverted' && ackedSentAtMs > ctx.now - ctx.timing.leaseTimeoutMs;

/** The voter to transfer leadership to; undefined when no other voter answers. */
export function bestSuccessor(ctx: CoreContext, leadership: Leadership): NodeId | undefined {
  const [first] = successors(ctx, leadership);
  const progress = first === undefined ? undefined : leadership.progress.get(first);
  return progress && answers(ctx, progress) ? first : undefined;
}

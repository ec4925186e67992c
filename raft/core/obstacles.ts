import type { NodeId } from './configuration.js';
import type { CoreContext } from './context.js';
import type { Leadership } from './leadership-state.js';
import type { Obstacle } from './outputs.js';
import { answers } from './succession.js';

/** Which voters lack the entry at `index`, and why, as far as their leader can know. */
export function obstacles(ctx: CoreContext, leadership: Leadership, index: number): Obstacle[] {
  return ctx.allVoters.flatMap((node) => obstacleAt(ctx, leadership, node, index) ?? []);
}

/** Why this voter lacks the entry at `index`; undefined when it has it. */
export function obstacleAt(
  ctx: CoreContext,
  leadership: Leadership,
  node: NodeId,
  index: number,
): Obstacle | undefined {
  if (node === ctx.id) return ctx.outbox.durableIndex < index ? { node, what: 'disk' } : undefined;
  const progress = leadership.progress.get(node);
  if (!progress) return { node, what: 'silent' };
  if (progress.match >= index) return undefined;
  if (progress.state === 'reverted') return { node, what: 'reverted' };
  const { failure, lastIndex } = progress;
  if (!answers(ctx, progress)) return { node, what: 'silent', ...(failure !== undefined && { failure }) };
  // Its answers to heartbeats report entries that it has in memory.
  if (progress.match > 0 && lastIndex >= index) return { node, what: 'disk' };
  return { node, what: 'link', ...(failure !== undefined && { failure }) };
}

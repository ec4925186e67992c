import type { CoreContext } from './context.js';
import { invariant } from './invariant.js';

/** Moves the commit index forward; never back, never beyond the log (I7, I12). */
export function commitTo(ctx: CoreContext, index: number): boolean {
  if (index <= ctx.commit) return false;
  invariant(index <= ctx.log.lastIndex, () => `commit ${index} beyond the log's end ${ctx.log.lastIndex}`);
  ctx.commit = index;
  ctx.fruitlessElections = 0;
  ctx.emit({ type: 'commit', index });
  return true;
}

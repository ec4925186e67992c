import type { NodeId } from '../../core/types.js';
import { check } from '../violation.js';
import type { Invariant } from './invariant.js';

/**
 * I7 Monotonicity (thesis fig. 3.1): term, commit, applied and snapshot index never fall; after a restart the term
 * is not below any that the node ever spoke of.
 */
export function monotonicity(): Invariant {
  const spoken = new Map<NodeId, number>();
  return {
    started(node) {
      const term = node.process?.ctx.term ?? 0;
      const said = spoken.get(node.id) ?? 0;
      check(term >= said, 'I7', () => `${node.id} spoke of term ${said} and starts again with ${term}`);
    },
    stepped({ node, ctx, before, outputs }) {
      const falls = (what: string, was: number, is: number): void =>
        check(is >= was, 'I7', () => `${what} of ${node.id} falls from ${was} to ${is}`);
      falls('term', before.term, ctx.term);
      falls('commit', before.commit, ctx.commit);
      falls('applied', before.applied, ctx.applied);
      falls('snapshot index', before.snapshotIndex, ctx.log.snapshotIndex);
      for (const output of outputs) {
        if (output.type !== 'send') continue;
        // A pre-vote speaks of a term that may never come.
        const term = output.message.term - (output.message.type === 'preVote' ? 1 : 0);
        if (term > (spoken.get(node.id) ?? 0)) spoken.set(node.id, term);
      }
    },
  };
}

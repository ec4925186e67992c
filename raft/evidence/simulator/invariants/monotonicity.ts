import { check } from '../../checks/violation.js';
import type { Invariant } from './invariant.js';

/**
 * I7 Monotonicity (Raft thesis fig. 3.1): term, commit, applied and snapshot index never decrease. After a restart the term
 * is not below any that the node has mentioned.
 */
export function monotonicity(): Invariant {
  /** By disk. */
  const spoken = new Map<string, number>();
  return {
    started(node) {
      // reversions.ts checks that case.
      if (node.wentBack) return;
      const term = node.process?.ctx.term ?? 0;
      const said = spoken.get(node.incarnation) ?? 0;
      check(term >= said, 'I7', () => `${node.id} spoke of term ${said} and starts again with ${term}`);
    },
    stepped({ node, ctx, before, outputs }) {
      const { term, commit, applied, snapshotIndex } = before;
      check(ctx.term >= term, 'I7', () => `the term of ${node.id} falls from ${term} to ${ctx.term}`);
      check(ctx.commit >= commit, 'I7', () => `commit of ${node.id} falls from ${commit} to ${ctx.commit}`);
      check(
        ctx.applied >= applied,
        'I7',
        () => `applied of ${node.id} falls from ${applied} to ${ctx.applied}`,
      );
      const is = ctx.log.snapshotIndex;
      check(
        is >= snapshotIndex,
        'I7',
        () => `the snapshot of ${node.id} falls from ${snapshotIndex} to ${is}`,
      );
      for (const output of outputs) {
        if (output.type !== 'send') continue;
        // A pre-vote mentions a term that may never come.
        const said = output.message.term - (output.message.type === 'preVote' ? 1 : 0);
        if (said > (spoken.get(node.incarnation) ?? 0)) spoken.set(node.incarnation, said);
      }
    },
  };
}

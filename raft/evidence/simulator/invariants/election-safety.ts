import type { NodeId } from '../../../core/configuration.js';
import { check } from '../../checks/violation.js';
import type { Invariant } from './invariant.js';

/** I1 Election Safety (Raft thesis fig. 3.2): at most one node ever leads in a term. */
export function electionSafety(): Invariant {
  const leaders = new Map<number, NodeId>();
  return {
    stepped({ node, ctx, before }) {
      if (ctx.role !== 'leader') return;
      const known = leaders.get(ctx.term);
      if (known === undefined) leaders.set(ctx.term, node.id);
      else check(known === node.id, 'I1', () => `${known} and ${node.id} both lead term ${ctx.term}`);
      const again = before.role !== 'leader' && known !== undefined;
      check(!again, 'I1', () => `${node.id} leads term ${ctx.term} for a second time`);
    },
  };
}

import { check } from '../../checks/violation.js';
import type { Invariant } from './invariant.js';

/** I2 Leader Append-Only (Raft thesis fig. 3.2): a leader never removes or replaces an entry of its own log. */
export function leaderAppendOnly(): Invariant {
  return {
    stepped({ node, ctx, before, change }) {
      if (!change || before.role !== 'leader' || before.term !== ctx.term) return;
      check(
        !change.reset && change.removed === undefined,
        'I2',
        () => `${node.id} removed entry ${change.removed?.index} while it led term ${ctx.term}`,
      );
    },
  };
}

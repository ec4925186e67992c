import { check } from '../../checks/violation.js';
import type { Evidence, Invariant } from './invariant.js';

/** I4 Leader Completeness (Raft thesis fig. 3.2): every leader has every entry that was committed in an earlier term. */
export function leaderCompleteness({ ledger }: Evidence): Invariant {
  return {
    stepped({ node, ctx, before, committedBefore }) {
      if (ctx.role !== 'leader' || before.role === 'leader') return;
      let index = committedBefore;
      // A candidate of an old term may win late. Its log need not have what later terms committed.
      while ((ledger.at(index)?.committedInTerm ?? 0) >= ctx.term) index -= 1;
      if (ctx.log.snapshotIndex > index) return;
      check(
        ctx.log.hashAt(index) === ledger.at(index)?.chainHash,
        'I4',
        () => `${node.id} leads term ${ctx.term} without committed entry ${index}`,
      );
    },
  };
}

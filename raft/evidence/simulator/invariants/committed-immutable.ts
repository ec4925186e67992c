import { check } from '../../checks/violation.js';
import type { Evidence, Invariant } from './invariant.js';

/** I11 Committed is immutable (Raft thesis §3.6.3): no log ever loses an entry that is committed. */
export function committedImmutable({ ledger }: Evidence): Invariant {
  return {
    stepped({ node, ctx, before, change }) {
      if (!change) return;
      const { removed } = change;
      // A received snapshot contains what it replaces.
      const from = change.reset ? ctx.log.snapshotIndex + 1 : removed?.index;
      if (from === undefined) return;
      check(
        from > before.commit,
        'I11',
        () => `${node.id} cuts its log at ${from}, below its commit index ${before.commit}`,
      );
      if (change.reset || !removed) return;
      check(
        ledger.at(removed.index)?.chainHash !== removed.chainHash,
        'I11',
        () => `${node.id} removes committed entry ${removed.index}`,
      );
    },
    written(node, { snapshot }) {
      if (!snapshot) return;
      check(
        ledger.at(snapshot.index)?.chainHash === snapshot.chainHash,
        'I11',
        () => `the snapshot of ${node.id} at ${snapshot.index} is not of committed entries`,
      );
    },
  };
}

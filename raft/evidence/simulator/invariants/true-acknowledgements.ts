import { check } from '../../checks/violation.js';
import { hasDiskOf, type Evidence, type Invariant } from './invariant.js';

/**
 * I6 Commit rule, its foundation (Raft thesis §3.5): whatever a leader counts as replicated to a node is on that node's
 * disk, with the same content.
 */
export function trueAcknowledgements({ node: find }: Evidence): Invariant {
  return {
    stepped({ node, ctx }) {
      if (!ctx.leadership) return;
      for (const [id, { match, incarnation }] of ctx.leadership.progress) {
        const other = find(id);
        if (!hasDiskOf(other, { id, incarnation })) continue;
        const { disk } = other;
        // In a later term another leader may have replaced what this one still counts.
        if (disk.hardState.term > ctx.term) continue;
        if (match <= ctx.log.snapshotIndex || match < disk.snapshotIndex) continue;
        check(
          disk.hashAt(match) === ctx.log.hashAt(match),
          'I6',
          () => `${node.id} counts entry ${match} of ${id}, which has it not on disk`,
        );
      }
    },
  };
}

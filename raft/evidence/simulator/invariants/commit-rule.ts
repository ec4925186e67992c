import { check } from '../../checks/violation.js';
import { isKeptByMajority, type Evidence, type Invariant } from './invariant.js';

/**
 * I6 Commit rule (Raft thesis §3.6.2, §10.2.1): an entry becomes committed only when a majority of the configuration in
 * force has it on disk, and only through an entry of the leader's own term.
 */
export function commitRule(evidence: Evidence): Invariant {
  const { ledger } = evidence;
  return {
    stepped({ node, ctx, before, committedBefore }) {
      const { lastIndex, last } = ledger;
      check(
        ctx.commit <= lastIndex,
        'I6',
        () => `${node.id} believes ${ctx.commit} committed, the record ends at ${lastIndex}`,
      );
      if (ctx.commit > before.commit) {
        const entry = ledger.at(ctx.commit);
        check(
          entry?.chainHash === ctx.log.hashAt(ctx.commit),
          'I6',
          () => `${node.id} commits another entry ${ctx.commit} than is committed`,
        );
      }
      if (lastIndex === committedBefore) return;
      check(
        last.term === before.term,
        'I6',
        () =>
          `${node.id} leads term ${before.term} and commits up to entry ${lastIndex} of term ${last.term}`,
      );
      check(
        isKeptByMajority(evidence, last),
        'I6',
        () =>
          `entry ${lastIndex} is not on the disks of a majority of ${last.quorums.map((voters) => voters.map(({ id }) => id).join('+')).join(' and of ')}`,
      );
    },
  };
}

import { hasVote, isQuorum, quorumsOf, votersOf } from '../../checks/quorums.js';
import { check } from '../../checks/violation.js';
import type { Voter } from '../ledger.js';
import type { Votes } from '../votes.js';
import type { Invariant } from './invariant.js';

/**
 * I14 Only voters count (Raft thesis §4.2.1): a leader has the votes of a majority of the voters of its configuration,
 * each counted once. It is one of them, except during its own removal (Raft thesis §4.2.2).
 */
export function onlyVotersCount(votes: Votes): Invariant {
  return {
    stepped({ node, ctx, before }) {
      if (ctx.role !== 'leader') return;
      const { latest } = ctx.configurations;
      check(
        latest.index > ctx.commit || hasVote(latest.configuration, node.id),
        'I14',
        () => `${node.id} leads term ${ctx.term} and is no voter`,
      );
      if (before.role === 'leader') return;
      const votedForIt = ({ id, incarnation }: Voter): boolean =>
        id === node.id ? node.disk.hardState.votedFor === id : votes.of(incarnation, ctx.term) === node.id;
      check(
        isQuorum(quorumsOf(latest.configuration), votedForIt),
        'I14',
        () =>
          `${node.id} leads term ${ctx.term} with the votes of ${votersOf(latest.configuration)
            .filter(votedForIt)
            .map(({ id }) => id)
            .join(', ')} only`,
      );
    },
  };
}

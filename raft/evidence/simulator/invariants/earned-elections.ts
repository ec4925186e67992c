import type { NodeId } from '../../../core/configuration.js';
import { check } from '../../checks/violation.js';
import type { Invariant } from './invariant.js';

/**
 * Part of I19 Quiet (Raft thesis §9.6): a node raises its term only for an answer to a pre-vote for that very term. A late
 * answer from an earlier candidacy would disturb a leader whom its sender now follows.
 */
export function earnedElections(): Invariant {
  /** Term of each pre-vote that the node's process requested, by request id. */
  const asked = new Map<NodeId, { term: number; requests: Set<number> }>();
  return {
    started(node) {
      asked.delete(node.id);
    },
    stepped({ node, ctx, input, outputs, before }) {
      if (input.type === 'message' && input.message.type === 'preVoteResponse' && ctx.term > before.term) {
        const { requestId } = input.message;
        const known = asked.get(node.id);
        check(
          ctx.votedFor !== node.id || (known?.term === ctx.term && known.requests.has(requestId)),
          'I19',
          () => `${node.id} stands in term ${ctx.term} for an answer to an earlier pre-vote`,
        );
      }
      for (const output of outputs) {
        if (output.type !== 'send' || output.message.type !== 'preVote') continue;
        const { term, requestId } = output.message;
        const known = asked.get(node.id);
        if (known?.term === term) known.requests.add(requestId);
        else asked.set(node.id, { term, requests: new Set([requestId]) });
      }
    },
  };
}

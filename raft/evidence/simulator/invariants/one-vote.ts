import type { NodeId } from '../../../core/configuration.js';
import { check } from '../../checks/violation.js';
import type { Votes } from '../votes.js';
import type { Invariant } from './invariant.js';

/** I8 One vote (Raft thesis §3.4): a disk votes for one candidate in a term, forever, across restarts. */
export function oneVote(votes: Votes): Invariant {
  return {
    stepped({ node, outputs }) {
      for (const output of outputs) {
        if (output.type !== 'send') continue;
        const { message } = output;
        let candidate: NodeId;
        if (message.type === 'vote') candidate = node.id;
        else if (message.type === 'voteResponse' && message.granted) candidate = output.to;
        else continue;
        const before = votes.of(node.incarnation, message.term);
        check(
          before === undefined || before === candidate,
          'I8',
          () => `${node.id} voted for ${before} and then for ${candidate} in term ${message.term}`,
        );
        votes.note(node.incarnation, message.term, candidate);
      }
    },
  };
}

import { check } from '../../checks/violation.js';
import type { Evidence, Invariant } from './invariant.js';

/**
 * I16 Linearizable reads (Raft thesis §6.4): an answered read sees everything that was committed anywhere before the read
 * began, and nothing uncommitted.
 */
export function linearizableReads({ ledger, requests }: Evidence): Invariant {
  return {
    stepped({ node, outputs }) {
      for (const output of outputs) {
        if (output.type !== 'answer' || output.answer.outcome !== 'done') continue;
        const request = requests.get(output.id);
        if (request?.kind !== 'read') continue;
        const { index } = output.answer;
        check(
          index >= request.committedBefore && index <= ledger.lastIndex,
          'I16',
          () => `a read at ${node.id} sees up to ${index}, committed before was ${request.committedBefore}`,
        );
      }
    },
  };
}

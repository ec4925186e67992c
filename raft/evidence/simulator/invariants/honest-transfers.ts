import { check } from '../../checks/violation.js';
import type { Evidence, Invariant } from './invariant.js';

/**
 * I18 Honest answers, for transfers (in other implementations transfers "failed" and succeeded afterwards): `rejected`
 * means that the target did not take over on this request and never will; `done`, that the leader was deposed.
 */
export function honestTransfers({ requests }: Evidence): Invariant {
  const accepted = new Set<string>();
  const rejected = new Set<string>();
  /** The TimeoutNow of a transfer. */
  const sentFor = new Map<number, string>();
  return {
    stepped({ node, ctx, before, input, outputs }) {
      for (const output of outputs) {
        if (output.type === 'send' && output.message.type === 'timeoutNow') {
          const { term, requestId } = output.message;
          const transferId = ctx.leadership?.transfer?.id ?? 0;
          sentFor.set(transferId, `${node.id} ${term} ${requestId}`);
        }
        if (
          output.type === 'send' &&
          output.message.type === 'timeoutNowResponse' &&
          output.message.accepted &&
          input.type === 'message'
        ) {
          const key = `${output.to} ${input.message.term} ${output.message.requestId}`;
          check(
            !rejected.has(key),
            'I18',
            () => `${node.id} takes over on a transfer that was rejected (${key})`,
          );
          accepted.add(key);
        }
        if (output.type !== 'answer' || requests.get(output.id)?.kind !== 'transfer') continue;
        const key = sentFor.get(output.id);
        if (output.answer.outcome === 'rejected' && key !== undefined) {
          check(
            !accepted.has(key),
            'I18',
            () => `transfer ${output.id} was accepted, the answer is a rejection`,
          );
          rejected.add(key);
        }
        if (output.answer.outcome === 'done') {
          check(
            ctx.term > before.term,
            'I18',
            () => `transfer ${output.id} is done, and nobody took over from ${node.id}`,
          );
        }
      }
    },
  };
}

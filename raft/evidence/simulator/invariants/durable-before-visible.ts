import type { NodeId } from '../../../core/configuration.js';
import type { CoreContext } from '../../../core/context.js';
import type { Message } from '../../../core/messages.js';
import { check } from '../../checks/violation.js';
import type { ObservedNode } from '../observed-node.js';
import type { Invariant } from './invariant.js';

/**
 * I9 Durable before visible (Raft thesis §3.8): a crash cannot undo what a node says: its term, its vote, the entries that
 * it acknowledges.
 */
export function durableBeforeVisible(): Invariant {
  return {
    stepped({ node, ctx, outputs }) {
      for (const output of outputs) {
        if (output.type === 'send') checkMessage(node, ctx, output.to, output.message);
      }
    },
  };
}

function checkMessage(node: ObservedNode, ctx: CoreContext, to: NodeId, message: Message): void {
  const { hardState } = node.disk;
  const term = message.term - (message.type === 'preVote' ? 1 : 0);
  check(
    hardState.term >= term,
    'I9',
    () => `${node.id} sends ${message.type} of term ${term} with ${hardState.term} on disk`,
  );
  if (message.type === 'vote') checkVote(node, term, node.id);
  if (message.type === 'voteResponse' && message.granted) checkVote(node, term, to);
  const acknowledges =
    message.type === 'snapshotResponse' || (message.type === 'appendResponse' && message.success);
  if (acknowledges) checkAcknowledged(node, ctx, message.matchIndex);
}

function checkVote(node: ObservedNode, term: number, candidate: NodeId): void {
  const { hardState } = node.disk;
  check(
    hardState.term === term && hardState.votedFor === candidate,
    'I9',
    () => `the vote of ${node.id} for ${candidate} in term ${term} is not on disk`,
  );
}

function checkAcknowledged(node: ObservedNode, ctx: CoreContext, index: number): void {
  const { disk } = node;
  if (index <= disk.snapshotIndex || index < ctx.log.snapshotIndex) return;
  check(
    disk.hashAt(index) !== undefined && disk.hashAt(index) === ctx.log.hashAt(index),
    'I9',
    () => `${node.id} acknowledges entry ${index}, which is not on its disk`,
  );
}

import type { CoreContext } from '../../../core/context.js';
import type { Input } from '../../../core/inputs.js';
import type { Message } from '../../../core/messages.js';
import type { Output } from '../../../core/outputs.js';
import { check } from '../../checks/violation.js';
import type { ObservedNode } from '../observed-node.js';
import type { Invariant } from './invariant.js';

/** What a disk acknowledged in the last term in which it acknowledged anything: chain hashes by index. */
interface Acknowledged {
  term: number;
  hashes: Map<number, number>;
}

/**
 * No alarm is missed: a node whose disk no longer has what it acknowledged to a leader learns that with the leader's next
 * heartbeat, for as long as it has this disk. From then on it does not vote, acknowledge or commit.
 */
export function reversions(): Invariant {
  /** By disk. */
  const acknowledged = new Map<string, Acknowledged>();
  const known = new Set<string>();

  function checkHeartbeat(node: ObservedNode, ctx: CoreContext, input: Input): void {
    if (input.type !== 'message' || input.message.type !== 'heartbeat') return;
    const { message } = input;
    const before = acknowledged.get(node.incarnation);
    if (ctx.reverted || ctx.term !== message.term || before?.term !== message.term) return;
    const expected = before.hashes.get(message.acknowledged);
    // For entries deep in its snapshot, a leader only says how long the log must be.
    const isNamed = message.logHash !== undefined || ctx.log.lastIndex < message.acknowledged;
    if (expected === undefined || !isNamed || message.acknowledged < ctx.log.snapshotIndex) return;
    check(
      ctx.log.hashAt(message.acknowledged) === expected,
      'I25',
      () => `${node.id} acknowledged entry ${message.acknowledged}, has it no more, and does not notice`,
    );
  }

  function note(node: ObservedNode, ctx: CoreContext, message: Message): void {
    const acknowledges =
      message.type === 'snapshotResponse' || (message.type === 'appendResponse' && message.success);
    if (!acknowledges || message.term !== ctx.term || message.matchIndex === 0) return;
    let entry = acknowledged.get(node.incarnation);
    if (entry?.term !== message.term) {
      entry = { term: message.term, hashes: new Map() };
      acknowledged.set(node.incarnation, entry);
    }
    const hash = ctx.log.hashAt(message.matchIndex);
    if (hash !== undefined) entry.hashes.set(message.matchIndex, hash);
  }

  return {
    started({ id, incarnation, process }) {
      check(
        !known.has(incarnation) || process?.ctx.reverted === true,
        'I25',
        () => `${id} forgot that its disk had lost something`,
      );
    },
    written({ incarnation }, { hardState }) {
      if (hardState.reverted) known.add(incarnation);
    },
    stepped({ node, ctx, input, outputs, before }) {
      if (!ctx.reverted) {
        checkHeartbeat(node, ctx, input);
        for (const output of outputs) if (output.type === 'send') note(node, ctx, output.message);
        return;
      }
      check(ctx.commit === before.commit, 'I25', () => `${node.id} commits though its disk lost something`);
      const spoken = outputs.find(counts);
      check(spoken === undefined, 'I25', () => `${node.id} counts though its disk lost something`);
    },
  };
}

/** A vote, or an acknowledgement of anything. */
function counts(output: Output): boolean {
  if (output.type !== 'send') return false;
  const { message } = output;
  switch (message.type) {
    case 'vote':
    case 'preVote':
      return true;
    case 'voteResponse':
    case 'preVoteResponse':
      return message.granted;
    case 'appendResponse':
    case 'snapshotResponse':
      return message.matchIndex > 0;
    default:
      return false;
  }
}

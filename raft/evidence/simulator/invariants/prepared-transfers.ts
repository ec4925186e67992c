import type { NodeId } from '../../../core/configuration.js';
import type { Input } from '../../../core/inputs.js';
import { check } from '../../checks/violation.js';
import type { Invariant } from './invariant.js';

/** What a voter must have before something follows. */
interface CatchUp {
  to: NodeId;
  index: number;
}

/** One leadership of a node. */
class Leadership {
  readonly preparations = new Map<number, CatchUp>();
  transfer: CatchUp | undefined;
  /** In that transfer, the target was sent forth. */
  isOrdered = false;
  /** By voter: what it acknowledged. That this is true is the affair of true-acknowledgements.ts. */
  private readonly acknowledged = new Map<NodeId, number>();

  constructor(readonly term: number) {}

  hear({ from, message }: Input & { type: 'message' }): void {
    const acknowledges =
      message.type === 'snapshotResponse' || (message.type === 'appendResponse' && message.success);
    if (!acknowledges || message.term !== this.term) return;
    this.acknowledged.set(from, Math.max(this.acknowledged.get(from) ?? 0, message.matchIndex));
  }

  has({ to, index }: CatchUp): boolean {
    return (this.acknowledged.get(to) ?? 0) >= index;
  }
}

/**
 * I22, for transfers: a leader takes proposals until its successor has what was in the log when it was asked, and none
 * after it sent it forth; the preparation of one is done when the successor has that.
 */
export function preparedTransfers(): Invariant {
  const leaderships = new Map<NodeId, Leadership>();
  return {
    stepped({ node, ctx, input, outputs, before, change }) {
      const { term, log } = ctx;
      if (ctx.role !== 'leader') {
        leaderships.delete(node.id);
        return;
      }
      let leadership = leaderships.get(node.id);
      if (!leadership || leadership.term !== term || before.role !== 'leader') {
        leadership = new Leadership(term);
        leaderships.set(node.id, leadership);
      }
      if (input.type === 'message') leadership.hear(input);
      check(
        input.type !== 'propose' || !leadership.isOrdered || change === null,
        'I22',
        () => `${node.id} takes a proposal after it sent its successor forth`,
      );
      const pending = ctx.leadership?.transfer;
      leadership.isOrdered = (pending?.requestId ?? null) !== null;
      if (!pending) leadership.transfer = undefined;
      // One that the leader begins by itself goes to a voter that may have to catch up as well.
      else leadership.transfer ??= { to: pending.to, index: log.lastIndex };
      if (input.type === 'prepareTransfer') {
        leadership.preparations.set(input.id, { to: input.to, index: log.lastIndex });
      }
      for (const output of outputs) {
        if (output.type !== 'answer') continue;
        const { id, answer } = output;
        const preparation = leadership.preparations.get(id);
        leadership.preparations.delete(id);
        check(
          !preparation || answer.outcome !== 'done' || leadership.has(preparation),
          'I22',
          () => `${node.id} says that ${preparation?.to} has entry ${preparation?.index}`,
        );
        if (input.type !== 'propose' || answer.outcome !== 'rejected') continue;
        const { transfer } = leadership;
        check(
          answer.reason !== 'transfer-in-progress' || (transfer !== undefined && leadership.has(transfer)),
          'I22',
          () => `${node.id} takes no proposals, and ${transfer?.to} lacks entry ${transfer?.index}`,
        );
      }
    },
  };
}

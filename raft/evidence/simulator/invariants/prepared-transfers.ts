import type { NodeId } from '../../../core/configuration.js';
import type { Input } from '../../../core/inputs.js';
import { check } from '../../checks/violation.js';
import type { Invariant } from './invariant.js';

/** What a voter must have first. */
interface CatchUp {
  to: NodeId;
  index: number;
}

/** One leadership of a node. */
class Leadership {
  readonly preparations = new Map<number, CatchUp>();
  transfer: CatchUp | undefined;
  /** Whether its target has been told to stand. */
  isOrdered = false;
  /** By voter: what it acknowledged. true-acknowledgements.ts checks that this is true. */
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
 * I22, for transfers: a leader accepts proposals until its successor has what was in the log at the time of the
 * request, and none after it told the successor to stand. A preparation is done when the successor has that.
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
      // A transfer that the leader begins by itself may also go to a voter that must catch up.
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

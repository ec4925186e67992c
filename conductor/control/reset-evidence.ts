import type { BlockId } from '../../rpc/payload/block-ref.js';
import type { ResetRequest } from '../chain/reset.js';
import { majorityOf, type VoterReport } from './voter-report.js';

export interface Evidence {
  /** Id of the leader. */
  own: string;
  /** All voters. */
  voters: readonly VoterReport[];
  /** The committed head. */
  head: BlockId;
  /** Hash of the committed block of a height, if it is known here. */
  hashAt: (number: number) => string | undefined;
  /** The local op-node saw L1 replace blocks about when its client left, or its client leaves the same blocks again and again. */
  hasReason: boolean;
  /** The local client's blocks differ from the committed ones, so these cannot be posted to it. */
  isElsewhere: boolean;
  /** L1 replaced blocks so recently that the other clients may not have left yet. */
  othersMayFollow: boolean;
}

type Finding =
  /** The committed head may be taken back, and this node can continue from there. */
  | { type: 'reset'; request: ResetRequest }
  /** It may, but this client still has blocks that would give way: that member must do it. */
  | { type: 'elsewhere'; to: string; reason: string }
  /** Not yet: the others are expected to leave as well. */
  | { type: 'wait'; reason: string }
  /** Nothing gives way; the node is brought back to the committed head. */
  | { type: 'none'; reason: string };

interface Left {
  id: string;
  at: BlockId;
  canLead: boolean;
}

/**
 * Whether acknowledged blocks may give way because the clients have left them by themselves, as all do when L1 takes
 * back the blocks that they were derived from. A block gives way only if the clients of a majority of voters have left
 * that same block. A lone voter has nobody to confirm it: its client may have lost blocks in a crash that nobody saw.
 * In that case L1 must have been seen to replace blocks, or the client must leave the same blocks each time it gets
 * them. Pure.
 */
export function resetEvidence({
  own,
  voters,
  head,
  hashAt,
  hasReason,
  isElsewhere,
  othersMayFollow,
}: Evidence): Finding {
  const left = voters
    .flatMap(({ id, state }): Left[] =>
      state?.leftAt && state.leftAt.number < head.number
        ? [{ id, at: state.leftAt, canLead: state.canLead }]
        : [],
    )
    .sort((a, b) => a.at.number - b.at.number);
  const self = left.find(({ id }) => id === own);
  if (!self) return { type: 'none', reason: 'the local client has not left the committed chain' };
  const majority = majorityOf(voters.length);
  const last = left[majority - 1];
  if (!last) {
    const reason = `only ${left.length} of ${voters.length} voters' clients have left the committed chain: ${listOf(left)}`;
    return { type: othersMayFollow ? 'wait' : 'none', reason };
  }
  if (voters.length === 1 && !hasReason) {
    return {
      type: 'none',
      reason: `the client has left the committed chain, but L1 was not seen to replace blocks, and the client has not left repeatedly: ${listOf(left)}`,
    };
  }
  const to = last.at;
  const known = hashAt(to.number) ?? to.hash;
  if (left.some(({ at }) => at.number === to.number && at.hash !== known)) {
    return { type: 'none', reason: `the voters name different blocks ${to.number}: ${listOf(left)}` };
  }
  // Blocks that it merely lacks can be posted to it.
  if (self.at.number > to.number || (self.at.number < to.number && isElsewhere)) {
    const there = left.find(({ at, canLead, id }) => at.number === to.number && canLead && id !== own);
    const reason = `a majority of clients has left the committed chain after block ${to.number}, this one after block ${self.at.number}`;
    return there ? { type: 'elsewhere', to: there.id, reason } : { type: 'wait', reason };
  }
  const who = left.filter(({ at }) => at.number <= to.number).map(({ id }) => id);
  const request: ResetRequest = {
    from: idOf(head),
    to: idOf(to),
    evidence: 'clients-left',
    who: who.sort().join(', '),
  };
  return { type: 'reset', request };
}

const idOf = ({ number, hash }: BlockId): BlockId => ({ number, hash });

const listOf = (left: readonly Left[]): string =>
  left.map(({ id, at }) => `${id} after block ${at.number} (${at.hash})`).join(', ');

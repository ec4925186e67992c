import type { BlockId } from '../../rpc/payload/block-ref.js';
import { majorityOf, type VoterReport } from './voter-report.js';

/**
 * - `heads-unknown`: the heads of fewer than a majority of voters are known.
 * - `heads-differ`: another voter has another block of the same height.
 * - `higher-head`: another voter has a higher head, but cannot lead.
 */
export type EmptyLogCode = 'heads-unknown' | 'heads-differ' | 'higher-head';

export type EmptyLogDecision =
  | { type: 'start' }
  | { type: 'hand-over'; to: string; reason: string }
  | { type: 'wait'; code: EmptyLogCode; reason: string };

interface Heads {
  /** Id of the leader. */
  own: string;
  /** Head of its client. */
  head: BlockId;
  /** All voters. */
  voters: readonly VoterReport[];
}

/**
 * Who may make the first block of an empty log. An earlier cluster may have published blocks that this log does not know,
 * so it is whoever has the highest head of a majority of voters. A witness has none, and counts as one of them all the
 * same: of two sequencers and a witness, both sequencers have to say. Pure.
 */
export function decideEmptyLog({ own, head, voters }: Heads): EmptyLogDecision {
  const others = voters.flatMap(({ id, state }) =>
    id !== own && state?.head ? [{ id, head: state.head, canLead: state.canLead }] : [],
  );
  const known = 1 + others.length;
  if (known < majorityOf(voters.length)) {
    const unknown = voters
      .filter(({ id, state }) => id !== own && !state?.head)
      .map(({ id, state }) => (state?.witness ? `${id} (a witness, it has none)` : id));
    return wait('heads-unknown', `the heads of ${unknown.join(', ')} are not known`);
  }
  const top = others.reduce((most, { head: { number } }) => Math.max(most, number), head.number);
  const highest = others.filter((other) => other.head.number === top);
  if (top > head.number) {
    const [to] = highest.filter(({ canLead }) => canLead);
    const [first = to] = highest;
    const reason = `nothing is committed yet, and ${first?.id} has block ${top}, this node only ${head.number}`;
    return to
      ? { type: 'hand-over', to: to.id, reason }
      : wait('higher-head', `${first?.id} has block ${top} and cannot lead`);
  }
  const rival = highest.find((other) => other.head.hash !== head.hash);
  if (rival) {
    return wait(
      'heads-differ',
      `block ${top} of ${rival.id} is ${rival.head.hash}, that of this node ${head.hash}`,
    );
  }
  return { type: 'start' };
}

function wait(code: EmptyLogCode, reason: string): EmptyLogDecision {
  return { type: 'wait', code, reason: `nothing is committed yet, and ${reason}` };
}

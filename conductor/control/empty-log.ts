import type { BlockId } from '../../rpc/payload/block-ref.js';
import { majorityOf, type VoterReport } from './voter-report.js';

/**
 * - `heads-unknown`: the heads of fewer than a majority of voters are known.
 * - `heads-differ`: another voter has another block of the same height.
 * - `higher-head`: another voter has a higher head, but cannot lead.
 * - `sequencer-runs`: that of another voter, which cannot lead or has a lower head.
 */
export type EmptyLogCode = 'heads-unknown' | 'heads-differ' | 'higher-head' | 'sequencer-runs';

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
 * Which member may make the first block of an empty log. An earlier cluster may have published blocks that this log
 * does not know, so it is the member with the highest head of a majority of voters. A witness has no head, but still
 * counts as a voter: of two sequencers and a witness, both sequencers must report. A sequencer that ran before there
 * was a cluster goes first, and no other starts while it runs: it may publish without asking. Pure.
 */
export function decideEmptyLog({ own, head, voters }: Heads): EmptyLogDecision {
  const others = voters.flatMap(({ id, state }) =>
    id !== own && state?.head ? [{ id, ...state, head: state.head }] : [],
  );
  const known = 1 + others.length;
  if (known < majorityOf(voters.length)) {
    const unknown = voters
      .filter(({ id, state }) => id !== own && !state?.head)
      .map(({ id, state }) => (state?.witness ? `${id} (a witness, it has none)` : id));
    return wait('heads-unknown', `the heads of ${unknown.join(', ')} are not known`);
  }
  const top = others.reduce((most, { head: { number } }) => Math.max(most, number), head.number);
  const highest = others
    .filter((other) => other.head.number === top)
    .sort((a, b) => Number(b.sequences) - Number(a.sequences));
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
  const runner = others.find(({ sequences }) => sequences);
  if (!runner) return { type: 'start' };
  if (runner.canLead && runner.head.number === top) {
    const reason = `nothing is committed yet, and the sequencer of ${runner.id} runs`;
    return { type: 'hand-over', to: runner.id, reason };
  }
  return wait('sequencer-runs', `the sequencer of ${runner.id} runs`);
}

function wait(code: EmptyLogCode, reason: string): EmptyLogDecision {
  return { type: 'wait', code, reason: `nothing is committed yet, and ${reason}` };
}

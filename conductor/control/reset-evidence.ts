import type { BlockId } from '../../rpc/payload/block-ref.js';
import type { ResetRequest } from '../chain/reset.js';
import { majorityOf, type VoterReport } from './voter-report.js';

interface Evidence {
  /** Id of the leader. */
  own: string;
  /** All voters. */
  voters: readonly VoterReport[];
  /** The committed head. */
  head: BlockId;
  /** Hash of the committed block of a height, if it is known here. */
  hashAt: (number: number) => string | undefined;
}

type Finding = { request: ResetRequest } | { refusal: string };

interface Left {
  id: string;
  at: BlockId;
}

/**
 * Whether acknowledged blocks may give way since the clients have left them: this node's own and those of a majority of
 * voters, by themselves, as all do when L1 takes back what the blocks were derived from. Then the chain goes on where
 * that majority still agrees: at the highest such block, so that no more is given up than has to be. Pure.
 */
export function resetEvidence({ own, voters, head, hashAt }: Evidence): Finding {
  const left = voters.flatMap(({ id, state }): Left[] =>
    state?.leftAt && state.leftAt.number < head.number ? [{ id, at: state.leftAt }] : [],
  );
  const self = left.find(({ id }) => id === own);
  if (!self) return { refusal: 'the own client has not left the committed chain' };
  const others = left.filter(({ id }) => id !== own).sort((a, b) => b.at.number - a.at.number);
  const majority = majorityOf(voters.length);
  const agreed = [self, ...others].slice(0, majority);
  if (agreed.length < majority) {
    return {
      refusal: `only ${left.length} of ${voters.length} voters' clients have left the committed chain: ${listOf(left)}`,
    };
  }
  const to = agreed.reduce((lowest, { at }) => (at.number < lowest.number ? at : lowest), self.at);
  const contradiction = agreed.find(({ at }) => at.number === to.number && at.hash !== to.hash);
  const known = hashAt(to.number);
  if (contradiction || (known !== undefined && known !== to.hash)) {
    return { refusal: `the voters name different blocks ${to.number}: ${listOf(agreed)}` };
  }
  const who = agreed.map(({ id }) => id).join(', ');
  return { request: { from: idOf(head), to: idOf(to), evidence: 'clients-left', who } };
}

const idOf = ({ number, hash }: BlockId): BlockId => ({ number, hash });

const listOf = (left: readonly Left[]): string =>
  left.map(({ id, at }) => `${id} after block ${at.number} (${at.hash})`).join(', ');

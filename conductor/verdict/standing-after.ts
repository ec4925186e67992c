import type { ClusterVerdict } from '../../rpc/server/cluster-verdict.js';
import { majorityOf, votersOf, type ClusterView } from './cluster-view.js';
import { toleranceOf, votersKeepingUp } from './judge-cluster.js';

type Standing = Pick<ClusterVerdict, 'voters' | 'votersKeepingUp' | 'failureTolerance'>;

/** Votes that a change of the membership takes and gives. */
export interface VoteChange {
  /** Loses its vote, if it has one. */
  without?: string;
  /** Gets one, once it has the log. */
  withVoter?: string;
}

/** What the cluster could lose after a change, if nothing else happens. */
export function standingAfter(view: ClusterView, { without, withVoter }: VoteChange): Standing {
  const after = (ids: readonly string[]): number => {
    const set = new Set(ids.filter((id) => id !== without));
    if (withVoter !== undefined) set.add(withVoter);
    return set.size;
  };
  return toleranceOf(after(votersOf(view).map(({ id }) => id)), after(votersKeepingUp(view)));
}

/**
 * Whether a change takes the vote of a voter that keeps up, so that none may fail afterwards. Growing a cluster does
 * not cost tolerance, and neither does removing a voter that is lost anyway.
 */
export function costsTolerance(view: ClusterView, change: VoteChange): boolean {
  const { without, withVoter } = change;
  if (without === undefined || withVoter !== undefined) return false;
  return votersKeepingUp(view).includes(without) && standingAfter(view, change).failureTolerance === 0;
}

/** One line about the voters and the failure tolerance before and after a change. */
export function standingText(view: ClusterView, change: VoteChange = {}): string {
  const before = standingAfter(view, {});
  const after = standingAfter(view, change);
  const moves = (from: number, to: number): string =>
    from === to ? `stays ${to}` : `goes from ${from} to ${to}`;
  const lost = after.votersKeepingUp < majorityOf(after.voters) ? ' (no block is committed)' : '';
  return (
    `The number of voters ${moves(before.voters, after.voters)}; ` +
    `the failure tolerance ${moves(before.failureTolerance, after.failureTolerance)}${lost}.`
  );
}

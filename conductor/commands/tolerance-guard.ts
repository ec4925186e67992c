import { quorum, votersOf, type ClusterView } from '../verdict/cluster-view.js';
import { costsTolerance, standingAfter } from '../verdict/standing-after.js';
import { CommandError } from './command-error.js';

interface Force {
  force?: true;
}

/**
 * Whether enough of the other voters answer without this one.
 *
 * @throws CommandError `would-lose-quorum` if not, unless forced
 */
export function requireQuorumWithout(view: ClusterView, id: string, { force }: Force): boolean {
  const remaining = votersOf(view).filter((member) => member.id !== id);
  const { answering: alive, of, needed } = quorum(remaining);
  if (of === 0 || alive >= needed) return true;
  if (force) return false;
  throw new CommandError(
    'would-lose-quorum',
    `without ${id}, ${alive} of ${of} voters would answer, and ${needed} are needed`,
  );
}

/** @throws CommandError `would-lose-tolerance` if no further voter may fail without this one, unless forced */
export function requireToleranceWithout(view: ClusterView, id: string, { force }: Force): void {
  if (force || !costsTolerance(view, { without: id })) return;
  const { voters, votersKeepingUp } = standingAfter(view, { without: id });
  throw new CommandError(
    'would-lose-tolerance',
    `without ${id}, ${votersKeepingUp} of ${voters} voters would keep up: the next failure of one would stop the chain`,
  );
}

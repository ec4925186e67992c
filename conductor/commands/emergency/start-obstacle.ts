import {
  answering,
  committedHeight,
  lagBlocks,
  names,
  type Answering,
  type ClusterView,
} from '../../verdict/cluster-view.js';
import { memberOf } from '../cluster/cluster-command.js';
import { CommandError } from '../command-error.js';

/**
 * A member whose sequencer could be started: it answers, has a node, and knows its head.
 *
 * @throws CommandError `incomplete`, `unfit-target`
 */
export function memberWithNode(view: ClusterView, id: string): Answering {
  const { status, ...target } = memberOf(view, id);
  if (!status) throw new CommandError('incomplete', `${id} does not answer: ${target.silence}`);
  if (status.witness) throw unfit(`${id} is a witness: it has no sequencer`, 'choose a member with a node');
  const repair = 'repair that node, or choose another member';
  const { reachable, reason, head } = status.node;
  if (!reachable) throw unfit(`${id} cannot reach its node: ${reason}`, repair);
  if (!head) throw unfit(`${id} does not know the head of its node`, repair);
  return { ...target, status };
}

/**
 * The member whose sequencer is to be started by hand now, if there is no obstacle.
 *
 * @param force start it even on an older head than others have, or if a member does not say whether it sequences
 * @throws CommandError `incomplete`, `unfit-target`, `unknown-sequencer`
 */
export function startableMember(view: ClusterView, id: string, { force }: { force?: true }): Answering {
  const target = memberWithNode(view, id);
  if (force) return target;
  const { head, branch } = target.status.node;
  const height = head!.number;
  if (branch === 'other') throw unfit(`${id} is on another branch than the committed chain`);
  const lag = lagBlocks(view, target) ?? 0;
  if (lag > 0) {
    throw unfit(
      `${id} is at block ${height}, and block ${committedHeight(view)} is committed: ${lag} blocks would be lost`,
    );
  }
  const ahead = answering(view).filter(({ status: { node } }) => (node.head?.number ?? -1) > height);
  if (ahead.length > 0) {
    const best = Math.max(...ahead.map(({ status: { node } }) => node.head!.number));
    throw unfit(
      `${id} is at block ${height}, and ${names(ahead)} at up to ${best}: the blocks between would be lost`,
    );
  }
  const unknown = others(view, id).filter(({ status: { node } }) => node.sequencerActive === null);
  if (unknown.length > 0) {
    throw new CommandError(
      'unknown-sequencer',
      `nobody knows whether ${names(unknown)} sequences: op-node does not answer`,
    );
  }
  return target;
}

function unfit(message: string, remedy?: string): CommandError {
  return new CommandError('unfit-target', message, remedy);
}

/** Other members whose sequencers run. */
export function activeOthers(view: ClusterView, id: string): Answering[] {
  return others(view, id).filter(({ status: { node } }) => node.sequencerActive === true);
}

/** Other members that answer and have a node. */
function others(view: ClusterView, id: string): Answering[] {
  return answering(view).filter((member) => member.id !== id && !member.status.witness);
}

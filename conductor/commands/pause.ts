import { ClientError } from '../../rpc/clients/client-error.js';
import type { ConductorStatus } from '../../rpc/server/conductor-status.js';
import { CommandError } from './command-error.js';
import type { AddCommand } from './command.js';
import {
  clusterCommand,
  memberOf,
  operate,
  refused,
  type ClusterOptions,
  type Operation,
} from './cluster/cluster-command.js';
import type { ClusterView, Member } from './cluster/cluster-view.js';

/** `baton pause [ids…]`: the conductors there start, stop and move nothing until they are resumed. */
export const addPause: AddCommand = (program, io) => {
  clusterCommand(program, io, 'pause [ids...]')
    .description('pause the control loop of these members, of all without an id; voting goes on')
    .action((ids: string[], options: ClusterOptions) =>
      operate(io, options, (operation) => setPaused(operation, ids, true)),
    );
};

/** `baton resume [ids…]` */
export const addResume: AddCommand = (program, io) => {
  clusterCommand(program, io, 'resume [ids...]')
    .description('resume the control loop of these members, of all without an id')
    .action((ids: string[], options: ClusterOptions) =>
      operate(io, options, (operation) => setPaused(operation, ids, false)),
    );
};

async function setPaused(operation: Operation, ids: readonly string[], paused: boolean): Promise<void> {
  const view = await operation.cluster.view();
  const targets = ids.length === 0 ? view.members : ids.map((id) => memberOf(view, id));
  const outcomes = await Promise.all(targets.map((target) => setOne(operation, target, paused)));
  const failed = outcomes.flatMap((reason, index) =>
    reason === undefined ? [] : [`${targets[index]!.id}: ${reason}`],
  );
  const asked = targets.filter((_, index) => outcomes[index] === undefined).map(({ id }) => id);
  if (asked.length > 0) {
    await operation.until((seen) => notYet(seen, asked, paused));
    operation.done(`${asked.join(', ')}: ${paused ? 'paused' : 'resumed'}`);
  }
  if (failed.length > 0) {
    const verb = paused ? 'paused' : 'resumed';
    throw new CommandError('incomplete', `not ${verb}: ${failed.join('; ')}`);
  }
}

/** Undefined, or why it was not done. */
async function setOne(operation: Operation, target: Member, paused: boolean): Promise<string | undefined> {
  if (!target.status) return target.silence;
  if (target.status.paused === paused && !endsWithItsProcess(target.status)) return undefined;
  const { cluster, deadline } = operation;
  try {
    const method = paused ? 'conductor_pause' : 'conductor_resume';
    await cluster.call(target, method, [], deadline.remainingMs);
    return undefined;
  } catch (error) {
    if (error instanceof ClientError) return refused(error).message;
    if (error instanceof CommandError) return `${error.message}; ${error.remedy}`;
    throw error;
  }
}

/** Paused, but by no decision that the node keeps: a pause that was asked for is to last. */
function endsWithItsProcess({ pausedBy }: ConductorStatus): boolean {
  return pausedBy === 'flag' || pausedBy === 'unreadable-file';
}

function notYet(view: ClusterView, ids: readonly string[], paused: boolean): string | undefined {
  const late = view.members.find(({ id, status }) => ids.includes(id) && status?.paused !== paused);
  return late && `${late.id} ${late.status ? `is ${paused ? 'not' : 'still'} paused` : late.silence}`;
}

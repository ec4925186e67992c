import { ClientError } from '../../rpc/clients/client-error.js';
import type { ConductorStatus } from '../../rpc/server/conductor-status.js';
import { CommandError } from './command-error.js';
import type { AddCommand } from './command.js';
import {
  changingCommand,
  memberOf,
  operate,
  refused,
  type ChangingOptions,
  type Operation,
} from './cluster/cluster-command.js';
import { confirmed } from './confirmation.js';
import type { ClusterView, Member } from '../verdict/cluster-view.js';
import { standingText } from '../verdict/standing-after.js';

/** `baton pause [ids…]`: the conductors there start, stop and move nothing until they are resumed. */
export const addPause: AddCommand = (program, io) => {
  changingCommand(program, io, 'pause [ids...]')
    .description('pause the control loop of these members, without an id of all that answer; voting goes on')
    .action((ids: string[], options: ChangingOptions) =>
      operate(io, options, (operation) => setPaused(operation, ids, true, options)),
    );
};

/** `baton resume [ids…]` */
export const addResume: AddCommand = (program, io) => {
  changingCommand(program, io, 'resume [ids...]')
    .description('resume the control loop of these members, of all without an id')
    .action((ids: string[], options: ChangingOptions) =>
      operate(io, options, (operation) => setPaused(operation, ids, false, options)),
    );
};

async function setPaused(
  operation: Operation,
  ids: readonly string[],
  paused: boolean,
  options: ChangingOptions,
): Promise<void> {
  const verb = paused ? 'paused' : 'resumed';
  const view = await operation.cluster.view();
  const targets = ids.length === 0 ? view.members : ids.map((id) => memberOf(view, id));
  if (targets.some((target) => isToBeSet(target, paused))) {
    if (!(await confirmed(operation, plan(view, targets, paused), options))) return;
  }
  const outcomes = await Promise.all(targets.map((target) => setOne(operation, target, paused)));
  const failed = targets.flatMap((target, index) => {
    const reason = outcomes[index];
    return reason === undefined ? [] : [{ target, text: `${target.id}: ${reason}` }];
  });
  const asked = targets.filter((_, index) => outcomes[index] === undefined).map(({ id }) => id);
  if (asked.length > 0) {
    await operation.until((seen) => notYet(seen, asked, paused));
    operation.done(`${asked.join(', ')}: ${verb}`, { [verb]: asked });
  }
  // A pause is for emergencies, too, when some are down. What was not resumed stays paused, also after its return.
  const silent = failed.filter(({ target }) => paused && ids.length === 0 && !target.status);
  if (silent.length > 0) {
    operation.note(`not ${verb}, since they do not answer: ${silent.map(({ text }) => text).join('; ')}`);
  }
  const grave = failed.filter((failure) => !silent.includes(failure));
  if (grave.length > 0) {
    throw new CommandError('incomplete', `not ${verb}: ${grave.map(({ text }) => text).join('; ')}`);
  }
}

function plan(view: ClusterView, targets: readonly Member[], paused: boolean): string[] {
  const names = (members: readonly Member[]): string => members.map(({ id }) => id).join(', ');
  const silent = targets.filter(({ status }) => !status);
  const [intro, effect]: [string, string] = paused
    ? [
        'To be paused',
        'A paused member votes, but starts, stops and moves no sequencer, also after a restart: it takes over from nobody.',
      ]
    : ['To be resumed', 'A resumed member starts, stops and moves its sequencer by itself again.'];
  return [
    `${intro}: ${names(targets.filter((target) => isToBeSet(target, paused)))}.`,
    effect,
    ...(silent.length > 0 ? [`These do not answer and stay as they are: ${names(silent)}.`] : []),
    standingText(view),
  ];
}

function isToBeSet({ status }: Member, paused: boolean): boolean {
  return status !== null && (status.paused !== paused || endsWithItsProcess(status));
}

/** Undefined, or why it was not done. */
async function setOne(operation: Operation, target: Member, paused: boolean): Promise<string | undefined> {
  if (!target.status) return target.silence;
  if (!isToBeSet(target, paused)) return undefined;
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

import { Option } from 'commander';
import { ClientError } from '../../rpc/clients/client-error.js';
import type { ConductorStatus } from '../../rpc/server/conductor-status.js';
import { CommandError } from './command-error.js';
import type { AddCommand } from './command.js';
import {
  changingCommand,
  memberOf,
  operate,
  readDuration,
  refused,
  whoIsAsking,
  type ChangingOptions,
  type Operation,
} from './cluster/cluster-command.js';
import { pauseMember, whyNoClusterPause, type PauseOrder } from './cluster/pause-calls.js';
import { confirmed } from './confirmation.js';
import { endHalt } from './emergency/halt.js';
import {
  leaders,
  names,
  noLeader,
  ofThisCluster,
  type Answering,
  type ClusterView,
  type Member,
} from '../verdict/cluster-view.js';
import { maintenanceOf } from '../verdict/pauses.js';
import { standingText } from '../verdict/standing-after.js';

interface PauseOptions extends ChangingOptions {
  owner?: string;
  for?: number;
}

/** `baton pause [ids…]`: these conductors start, stop and move nothing until they are resumed. */
export const addPause: AddCommand = (program, io) => {
  changingCommand(program, io, 'pause [ids...]')
    .description(
      'pause the control loop of these members, without an id of the whole cluster; voting goes on',
    )
    .addOption(new Option('--owner <name>', 'who answers for it').default(whoIsAsking(io), 'you'))
    .addOption(
      new Option('--for <duration>', 'end it by itself after that time, such as 30m').argParser(readDuration),
    )
    .action((ids: string[], options: PauseOptions) =>
      operate(io, options, (operation) => setPaused(operation, ids, true, options)),
    );
};

/** `baton resume [ids…]` */
export const addResume: AddCommand = (program, io) => {
  changingCommand(program, io, 'resume [ids...]')
    .description('resume these members; without an id the cluster and all members, and end a halt')
    .addOption(new Option('--owner <name>', 'who answers for it').default(whoIsAsking(io), 'you'))
    .action((ids: string[], options: PauseOptions) =>
      operate(io, options, async (operation) => {
        if (ids.length === 0 && !(await endHalt(operation, options))) return;
        await setPaused(operation, ids, false, options);
      }),
    );
};

async function setPaused(
  operation: Operation,
  ids: readonly string[],
  paused: boolean,
  options: PauseOptions,
): Promise<void> {
  const { owner, reason, for: forMs } = options;
  const order: PauseOrder = { paused, forMs: forMs ?? null, owner, reason };
  const view = await operation.cluster.view();
  const targets = ids.length === 0 ? view.members : ids.map((id) => memberOf(view, id));
  const isWhole = ids.length === 0 && (paused || maintenanceOf(view).cluster !== null);
  if (isWhole || targets.some((target) => isToBeSet(target, paused))) {
    if (!(await confirmed(operation, plan(view, targets, order, isWhole), options))) return;
  }
  if (isWhole && (await setCluster(operation, view, order)) && paused) return;
  const now = isWhole ? await operation.cluster.view() : view;
  const rest = targets.map(({ id }) => memberOf(now, id));
  const left = isWhole && !paused ? rest.filter((target) => isPausedByItself(now, target)) : rest;
  await setMembers(operation, now, left, order, ids.length > 0);
}

/**
 * Pauses or resumes the whole cluster, through its log.
 *
 * @returns false if it cannot be recorded; then each member must be paused separately
 * @throws CommandError if a resume cannot be recorded
 */
async function setCluster(operation: Operation, view: ClusterView, order: PauseOrder): Promise<boolean> {
  const { paused } = order;
  const why = await whyNoClusterPause(operation, leaders(view)[0], order, () => noLeader(view));
  if (why !== undefined) {
    if (!paused) throw new CommandError('refused', `the pause of the cluster was not ended: ${why}`);
    operation.note(`the cluster cannot record it (${why}): each member that answers is paused by itself`);
    return false;
  }
  const seen = await operation.until((now) => {
    const late = ofThisCluster(now).find(({ status }) => (status.maintenance.cluster !== null) !== paused);
    return late && `${late.id} ${paused ? 'has not read' : 'still has'} the pause`;
  });
  operation.done(`the cluster: ${paused ? 'paused' : 'resumed'}`);
  const silent = seen.members.filter(({ status }) => !status);
  if (paused && silent.length > 0) {
    operation.note(`${names(silent)}: no answer; the log will tell, before anything is started there`);
  }
  return true;
}

async function setMembers(
  operation: Operation,
  view: ClusterView,
  targets: readonly Member[],
  order: PauseOrder,
  areNamed: boolean,
): Promise<void> {
  const { paused } = order;
  const verb = paused ? 'paused' : 'resumed';
  const leader = leaders(view)[0];
  const outcomes = await Promise.all(
    targets.map((target) => {
      const isKnown = areNamed || (!paused && isPausedByItself(view, target));
      return setOne(operation, target, order, isKnown ? leader : undefined);
    }),
  );
  const failed = targets.flatMap((target, index) => {
    const reason = outcomes[index];
    return reason === undefined ? [] : [{ target, text: `${target.id}: ${reason}` }];
  });
  const done = targets.filter((_, index) => outcomes[index] === undefined);
  const asked = done.filter(({ status }) => status).map(({ id }) => id);
  if (asked.length > 0) {
    await operation.until((seen) => notYet(seen, asked, paused));
    operation.done(`${asked.join(', ')}: ${verb}`, { [verb]: asked });
  }
  const absent = done.filter(({ status }) => !status);
  if (absent.length > 0) {
    operation.done(`${names(absent)}: no answer; recorded, to be ${verb} as soon as the log is read there`);
  }
  // A pause is also for emergencies, when members are down. A member that was not resumed stays paused on its return.
  const silent = failed.filter(({ target }) => paused && !areNamed && !target.status);
  if (silent.length > 0) {
    operation.note(`not ${verb}, since they do not answer: ${silent.map(({ text }) => text).join('; ')}`);
  }
  const grave = failed.filter((failure) => !silent.includes(failure));
  if (grave.length > 0) {
    throw new CommandError('incomplete', `not ${verb}: ${grave.map(({ text }) => text).join('; ')}`);
  }
}

function plan(
  view: ClusterView,
  targets: readonly Member[],
  { paused, forMs }: PauseOrder,
  isWhole: boolean,
): string[] {
  const silent = targets.filter(({ status }) => !status);
  const whom = names(targets.filter((target) => isToBeSet(target, paused)));
  const [intro, effect]: [string, string] = paused
    ? [
        'To be paused',
        'A paused member votes, but starts, stops and moves no sequencer, also after a restart: it takes over from nobody.',
      ]
    : ['To be resumed', 'A resumed member starts, stops and moves its sequencer by itself again.'];
  const whole = 'the whole cluster, also members that are down or come later';
  const what = [...(isWhole ? [whole] : []), ...(whom === '' || (isWhole && paused) ? [] : [whom])];
  return [
    `${intro}: ${what.join('; ')}.`,
    effect,
    ...(forMs === null ? [] : [`It ends by itself after ${forMs / 1000} s, by the clock of each member.`]),
    ...(silent.length > 0 && !isWhole ? [`These do not answer: ${names(silent)}.`] : []),
    standingText(view),
  ];
}

/** True for a member that does not answer, too, if its pause is recorded. */
function isPausedByItself(view: ClusterView, { id, status }: Member): boolean {
  return status ? status.paused : maintenanceOf(view).members[id] !== undefined;
}

function isToBeSet({ status }: Member, paused: boolean): boolean {
  if (status === null) return false;
  return status.paused !== paused || (paused && !hasLastingOwnPause(status));
}

/** Undefined, or why it failed. */
async function setOne(
  operation: Operation,
  target: Member,
  order: PauseOrder,
  leader: Answering | undefined,
): Promise<string | undefined> {
  if (!target.status && !leader) return target.silence;
  if (target.status && !isToBeSet(target, order.paused)) return undefined;
  try {
    await pauseMember(operation, target, order, leader);
    return undefined;
  } catch (error) {
    const failure = error instanceof ClientError ? refused(error) : error;
    if (!(failure instanceof CommandError)) throw failure;
    return failure.code === 'refused' ? failure.message : `${failure.message}; ${failure.remedy}`;
  }
}

/** Paused by a decision about this member that the member keeps: a requested pause must last. */
function hasLastingOwnPause({ pausedBy }: ConductorStatus): boolean {
  return pausedBy === 'bootstrap' || pausedBy === 'conductor_pause' || pausedBy === undefined;
}

function notYet(view: ClusterView, ids: readonly string[], paused: boolean): string | undefined {
  const late = view.members.find(({ id, status }) => ids.includes(id) && status?.paused !== paused);
  return late && `${late.id} ${late.status ? `is ${paused ? 'not' : 'still'} paused` : late.silence}`;
}

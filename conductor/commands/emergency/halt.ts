import {
  answering,
  committedHeight,
  isQuorumLost,
  leaders,
  names,
  noLeader,
  type Answering,
  type ClusterView,
} from '../../verdict/cluster-view.js';
import { haltOf } from '../../verdict/halt.js';
import { standingText } from '../../verdict/standing-after.js';
import { CommandError } from '../command-error.js';
import type { AddCommand } from '../command.js';
import {
  callLeader,
  clusterCommand,
  operate,
  viewWithLeader,
  whoIsAsking,
  type ChangingOptions,
  type Operation,
} from '../cluster/cluster-command.js';
import { haltedSince } from '../cluster/halted-since.js';
import { confirmed, withChangeOptions, type ChangeOptions } from '../confirmation.js';
import { ask } from './steps.js';

type Options = ChangingOptions & { reason: string };

/** `baton halt`: no sequencer runs anywhere until `baton resume`. */
export const addHalt: AddCommand = (program, io) => {
  withChangeOptions(clusterCommand(program, io, 'halt'))
    .description('stop the sequencer everywhere, and start none until baton resume, also after restarts')
    .requiredOption('--reason <text>', 'why; it stands at the top of baton status, with your name')
    .action((options: Options) => operate(io, options, (operation) => halt(operation, options)));
};

async function halt(operation: Operation, options: Options): Promise<void> {
  const view = await operation.cluster.view();
  const before = haltOf(view);
  if (before) return operation.done(`halted already, ${haltedSince(before)}`);
  const canRecord = !isQuorumLost(view);
  if (!(await confirmed(operation, canRecord ? plan(view) : planUnrecorded(view), options))) return;
  if (!canRecord || !(await recorded(operation, options.reason))) return haltUnrecorded(operation, view);
  const after = await operation.until((seen) => stillRunning(seen) ?? notHeard(seen));
  operation.done(`halted: the chain stands at block ${committedHeight(after) ?? 'none'}, which is committed`);
}

/** @returns false if the cluster cannot record decisions, or lost its quorum meanwhile */
async function recorded(operation: Operation, reason: string): Promise<boolean> {
  try {
    const params = [whoIsAsking(operation), reason];
    await callLeader(
      operation,
      'conductor_halt',
      () => params,
      (seen) => haltOf(seen) !== null,
    );
    return true;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    // A leader that has just lost its quorum does not know it yet, and answers that the outcome is unknown.
    const isUnknown = error.message.includes('it is not known whether this was recorded');
    const cannot =
      error.message.includes('nothing can be recorded') ||
      (isUnknown && isQuorumLost(await operation.cluster.view()));
    if (!cannot) throw error;
    operation.note(error.message);
    return false;
  }
}

/** Without the log, each member is paused and its sequencer stopped, if it answers. */
async function haltUnrecorded(operation: Operation, view: ClusterView): Promise<void> {
  const members = answering(view);
  for (const member of members) await ask(operation, member, 'conductor_pause');
  await operation.until((seen) => {
    const late = answering(seen).filter(({ status }) => !status.paused);
    return late.length === 0 ? undefined : `${names(late)} not paused yet`;
  });
  for (const member of members.filter(({ status }) => !status.witness)) {
    const head = await ask(operation, member, 'conductor_stopSequencer');
    if (typeof head === 'string') operation.done(`${member.id}: sequencer stopped at ${head}`);
  }
  await operation.until(stillRunning);
  operation.done(`${names(members)}: paused, and no sequencer runs there. ${NOT_RECORDED}`);
}

const NOT_RECORDED =
  'This is not recorded in the log: members that do not answer now, and such as are added, know nothing of it, and a majority of them starts the chain again. End it with baton resume';

function plan(view: ClusterView): string[] {
  const [leader] = leaders(view);
  return [
    'No sequencer will run anywhere: the chain stops after the block that is being made, until baton resume. A restart, a new leader or a new member does not start it.',
    leader ? `${leader.id} leads; its sequencer ends its block and stops.` : `There is ${noLeader(view)}.`,
    ...silentText(view),
    standingText(view),
  ];
}

function planUnrecorded(view: ClusterView): string[] {
  return [
    `There is ${noLeader(view)}: the halt cannot be recorded.`,
    `${names(answering(view))} will be paused, and their sequencers stopped. Members that do not answer stay as they are.`,
    ...silentText(view),
    standingText(view),
  ];
}

function silentText(view: ClusterView): string[] {
  const silent = view.members.filter(({ status }) => status === null);
  return silent.length === 0
    ? []
    : [
        `These do not answer: ${names(silent)}. A sequencer there that still runs cannot commit a block without a majority.`,
      ];
}

function stillRunning(view: ClusterView): string | undefined {
  const active = answering(view).filter(({ status }) => status.node.sequencerActive === true);
  return active.length === 0 ? undefined : `the sequencer of ${names(active)} is active still`;
}

function notHeard(view: ClusterView): string | undefined {
  const late = answering(view).filter(({ role, status }) => role !== 'no member' && status.halt === null);
  return late.length === 0 ? undefined : `${names(late)} has not heard of it yet`;
}

/**
 * Ends the halt of a cluster that is halted.
 *
 * @returns false if the user does not confirm
 */
export async function endHalt(operation: Operation, options: ChangeOptions): Promise<boolean> {
  const before = haltOf(await operation.cluster.view());
  if (!before) return true;
  const { view, leader } = await viewWithLeader(operation);
  if (!(await confirmed(operation, planToEnd(view, leader, haltedSince(before)), options))) return false;
  const params = [whoIsAsking(operation), options.reason ?? 'no reason was given'];
  await callLeader(
    operation,
    'conductor_endHalt',
    () => params,
    (seen) => haltOf(seen) === null,
  );
  await operation.until((seen) => (haltOf(seen) ? 'the halt is in force still' : undefined));
  operation.done('the halt is over');
  return true;
}

function planToEnd(view: ClusterView, { id, status }: Answering, since: string): string[] {
  return [
    `The halt will end (${since}).`,
    status.paused
      ? `${id} leads and is paused: it starts its sequencer once it is resumed, too.`
      : `${id} leads and will start its sequencer on block ${committedHeight(view) ?? 'none'}.`,
    standingText(view),
  ];
}

import {
  answering,
  isQuorumLost,
  leaders,
  names,
  noLeader,
  type Answering,
  type ClusterView,
} from '../../verdict/cluster-view.js';
import { standingText } from '../../verdict/standing-after.js';
import { confirmed, type ChangeOptions } from '../confirmation.js';
import type { Operation } from '../cluster/cluster-command.js';
import { activeOthers, startableMember } from './start-obstacle.js';
import { ask, startAndSee, stopOthers } from './steps.js';

type Options = ChangeOptions & { force?: true };

/** `baton override <id> --sequence`: one node continues without the cluster. */
export async function sequenceAlone(
  operation: Operation,
  before: ClusterView,
  id: string,
  options: Options,
): Promise<void> {
  const planned = startableMember(before, id, options);
  if (!(await confirmed(operation, plan(before, planned), options))) return;
  const paused = answering(before);
  for (const member of paused) await ask(operation, member, 'conductor_pause');
  await operation.until((view) => {
    const late = answering(view).filter(({ status }) => !status.paused);
    return late.length === 0 ? undefined : `${names(late)} not paused yet`;
  });
  operation.done(`${names(paused)}: paused`);
  await stopOthers(operation, await operation.cluster.view(), id);
  const view = await operation.until((seen) => {
    const active = activeOthers(seen, id);
    return active.length === 0 ? undefined : `the sequencer of ${names(active)} is active still`;
  });
  // Heads may have moved until the last sequencer stopped.
  const target = startableMember(view, id, options);
  await ask(operation, target, 'conductor_overrideLeader', [true]);
  operation.done(`${id}: calls itself leader`);
  const number = await startAndSee(operation, target, true);
  operation.done(
    `${id} sequences at block ${number} without consensus: no other disk has its blocks. Undo: baton override ${id} --remove`,
  );
}

function plan(view: ClusterView, target: Answering): string[] {
  const { id, status } = target;
  const head = status.node.head!;
  const active = activeOthers(view, id);
  const silent = view.members.filter((member) => member.status === null);
  const [leader] = leaders(view);
  return [
    `The sequencer of ${id} will start on block ${head.number} (${head.hash}) and publish blocks WITHOUT CONSENSUS.`,
    leader
      ? `${leader.id} leads in term ${leader.status.term}; it will be paused.`
      : `There is ${noLeader(view)}.`,
    `${names(answering(view))} will be paused${active.length > 0 ? `, and the sequencer of ${names(active)} stopped` : ''}; ${id} will call itself leader.`,
    ...(silent.length > 0
      ? [
          `These do not answer: ${names(silent)}. Make sure that they are stopped, or cut off, and stay so: if one of them sequences, the chain forks.`,
        ]
      : []),
    `Its op-node forgets that only by a restart. Undo with baton override ${id} --remove.`,
    ...(isQuorumLost(view) ? [INSTEAD] : []),
    standingText(view),
  ];
}

/** Better options than any override. */
export const INSTEAD =
  'Bring back the other voters instead if that is possible. If a majority of the disks is gone for good, baton ' +
  'recover DIRECTORY makes one survivor a cluster of its own: what the lost members alone had committed is given ' +
  'up, and if they come back there are two clusters, which build two chains.';

import {
  isQuorumLost,
  lagBlocks,
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
  changingCommand,
  memberOf,
  operate,
  viewWithLeader,
  type ChangingOptions,
  type Operation,
} from '../cluster/cluster-command.js';
import { haltedSince } from '../cluster/halted-since.js';
import { confirmed } from '../confirmation.js';
import { activeOthers, memberWithNode, startableMember } from './start-obstacle.js';
import { startAndSee, stopOthers } from './steps.js';

type Options = ChangingOptions & { force?: true };

/** `baton force-active <id>`: starts a sequencer by hand where the control loop must not decide. */
export const addForceActive: AddCommand = (program, io) => {
  changingCommand(program, io, 'force-active <id>')
    .description(
      'start the sequencer of a paused member by hand, and stop any other; blocks are committed as ever',
    )
    .option('--force', 'even if its head is not the highest')
    .action((id: string, options: Options) =>
      operate(io, options, (operation) => forceActive(operation, id, options)),
    );
};

async function forceActive(operation: Operation, id: string, options: Options): Promise<void> {
  const before = await operation.cluster.view();
  memberOf(before, id);
  requireQuorum(before, id);
  const halted = haltOf(before);
  if (halted) throw new CommandError('halted', `the cluster is halted, ${haltedSince(halted)}`);
  const { view, leader } = await viewWithLeader(operation);
  const planned = memberWithNode(view, id);
  requirePaused(planned);
  if (!(await confirmed(operation, plan(view, leader, planned), options))) return;
  await stopOthers(operation, view, id);
  if (leader.id !== id) {
    const leads = (seen: ClusterView): boolean => leaders(seen)[0]?.id === id;
    const { addr } = planned;
    await callLeader(operation, 'conductor_transferLeaderToServer', () => [id, addr], leads);
  }
  const ready = await operation.until((seen) => missing(seen, id));
  if (leader.id !== id) operation.done(`${id}: leads in term ${leaders(ready)[0]!.status.term}`);
  const number = await startAndSee(operation, startableMember(ready, id, options), false);
  operation.done(
    `${id} sequences at block ${number}; it is paused, and stays active until somebody stops it`,
  );
}

/** Obstacles to starting the sequencer, which has to build on the committed head. */
function missing(view: ClusterView, id: string): string | undefined {
  const [leader] = leaders(view);
  if (leader?.id !== id) return `${leader?.id ?? 'nobody'} leads`;
  if (!leader.status.ready) return `the leadership of ${id} is not complete`;
  const active = activeOthers(view, id);
  if (active.length > 0) return `the sequencer of ${names(active)} is active still`;
  const lag = lagBlocks(view, leader) ?? 0;
  return lag > 0
    ? `the node of ${id} misses ${lag} committed blocks, and is paused: baton resume brings them`
    : undefined;
}

function requireQuorum(view: ClusterView, id: string): void {
  if (!isQuorumLost(view)) return;
  const { remedy } = new CommandError('quorum-lost', '');
  throw new CommandError(
    'quorum-lost',
    noLeader(view),
    `${remedy}. If blocks are needed before the others are back: baton override ${id} --sequence`,
  );
}

function requirePaused({ id, status }: Answering): void {
  if (status.paused) return;
  throw new CommandError('not-paused', `${id} is not paused: as leader it starts its sequencer by itself`);
}

function plan(view: ClusterView, leader: Answering, { id, status }: Answering): string[] {
  const head = status.node.head!;
  const active = activeOthers(view, id);
  return [
    ...(active.length > 0 ? [`The sequencer of ${names(active)} will be stopped.`] : []),
    ...(leader.id === id ? [] : [`Leadership will move from ${leader.id} to ${id}.`]),
    `The sequencer of ${id}, now at block ${head.number} (${head.hash}), will be started. Its blocks are committed as ever.`,
    `While ${id} is paused nobody stops that sequencer, also if it falls sick: baton resume ${id} as soon as possible.`,
    standingText(view),
  ];
}

import { CommandError } from './command-error.js';
import type { AddCommand } from './command.js';
import {
  callLeader,
  changingCommand,
  memberOf,
  operate,
  viewWithLeader,
  type ChangingOptions,
} from './cluster/cluster-command.js';
import { confirmed } from './confirmation.js';
import {
  answering,
  healthReason,
  leaders,
  type Answering,
  type ClusterView,
} from '../verdict/cluster-view.js';
import { isOnlyOld } from '../verdict/halt.js';
import { standingText } from '../verdict/standing-after.js';

/** `baton transfer [id]`: moves leadership and, with it, the sequencer. */
export const addTransfer: AddCommand = (program, io) => {
  changingCommand(program, io, 'transfer [id]')
    .description('hand leadership and sequencing over to a member; without an id, to the fittest')
    .option('--force', 'even to a member that is not healthy')
    .option('--away', 'only if the conductor that is asked leads, else do nothing (for a pre-stop hook)')
    .action((id: string | undefined, options: ChangingOptions & { force?: true; away?: true }) =>
      operate(io, options, async (operation) => {
        if (options.away) {
          const [leader] = leaders(await operation.cluster.view());
          if (!leader || !operation.cluster.wasAsked(leader.id)) {
            return operation.done(`nothing to transfer: ${leader?.id ?? 'nobody'} leads`);
          }
        }
        const { view: before, leader: from } = await viewWithLeader(operation);
        if (id !== from.id && !options.force) {
          requireNotPaused(from);
          if (id !== undefined) requireFit(before, id);
        }
        if (id !== undefined) memberOf(before, id);

        const moved = (view: ClusterView): boolean => {
          const now = leaders(view)[0];
          return now !== undefined && (id === undefined ? now.id !== from.id : now.id === id);
        };
        if (!moved(before) && !(await confirmed(io, plan(before, from, id), options))) return;
        if (id === undefined) await callLeader(operation, 'conductor_transferLeader', () => [], moved);
        else {
          const { addr } = memberOf(before, id);
          await callLeader(operation, 'conductor_transferLeaderToServer', () => [id, addr], moved);
        }
        const after = await operation.until((view) =>
          moved(view) ? unsettled(view) : `${leaders(view)[0]?.id ?? 'nobody'} leads`,
        );
        const to = leaders(after)[0]!;
        operation.done(
          `${to.id} leads in term ${to.status.term}${from.id === to.id ? ' already' : `, it was ${from.id}`}; ` +
            (to.status.paused || to.status.halt
              ? `${to.status.halt ? 'the cluster is halted' : 'it is paused'} and starts no sequencer`
              : `its sequencer is active at block ${to.status.node.head?.number ?? '?'}`),
          { leader: to.id, term: to.status.term, before: from.id },
        );
      }),
    );
};

function plan(view: ClusterView, from: Answering, id: string | undefined): string[] {
  return [
    `Leadership and sequencing will move from ${from.id} to ${id ?? 'the fittest other member'}.`,
    standingText(view),
  ];
}

/** A paused conductor stops no sequencer, so the old one would run beside the new leader's. */
function requireNotPaused({ id, status }: Answering): void {
  if (!status.paused || status.node.sequencerActive === false) return;
  throw new CommandError(
    'unfit-target',
    `${id} leads and is paused: its sequencer would stay active`,
    `baton resume ${id} first, or repeat with --force and stop that sequencer yourself`,
  );
}

function requireFit(view: ClusterView, id: string): void {
  const target = memberOf(view, id);
  const unfit = (why: string): CommandError => new CommandError('unfit-target', `${id} ${why}`);
  if (target.role !== 'voter') throw unfit('is no voter');
  if (!target.status) throw unfit(`does not answer: ${target.silence}`);
  if (target.status.witness) throw unfit('is a witness: it has no sequencer, and would hand leadership back');
  if (target.status.paused) throw unfit('is paused and would start no sequencer');
  // Heads are old on every node of a halted cluster.
  const isMeant = target.status.halt !== null && isOnlyOld(target.status);
  if (target.status.health.status === 'unhealthy' && !isMeant) {
    throw unfit(`is unhealthy: ${healthReason(target.status)}`);
  }
}

/** What is still missing after leadership moved: one leader, with the only active sequencer. */
function unsettled(view: ClusterView): string | undefined {
  const [leader, second] = leaders(view);
  if (second) return `${second.id} calls itself leader still`;
  const late = answering(view).find(
    ({ id, status }) => id !== leader!.id && status.node.sequencerActive && !status.paused,
  );
  if (late) return `the sequencer of ${late.id} is active still`;
  const { paused, halt, node } = leader!.status;
  if (paused || halt || node.sequencerActive) return undefined;
  return `${leader!.id} leads, but its sequencer is not active: ${node.reason || 'not yet'}`;
}

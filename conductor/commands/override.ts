import { CommandError } from './command-error.js';
import type { AddCommand } from './command.js';
import {
  changingCommand,
  memberOf,
  operate,
  type ChangingOptions,
  type Operation,
} from './cluster/cluster-command.js';
import { confirmed } from './confirmation.js';
import { INSTEAD, sequenceAlone } from './emergency/sequence-alone.js';
import { ask } from './emergency/steps.js';
import {
  answering,
  isQuorumLost,
  leaders,
  noLeader,
  type ClusterView,
  type Member,
} from '../verdict/cluster-view.js';
import { standingText } from '../verdict/standing-after.js';

/** `baton override <id>`: the last resort when the cluster has lost its quorum. */
export const addOverride: AddCommand = (program, io) => {
  changingCommand(program, io, 'override <id>')
    .description(
      'let a member call itself leader without a quorum (disaster recovery: section Without a quorum of the runbook)',
    )
    .option(
      '--sequence',
      'let its op-node sequence without consensus, too: pauses all others, and stops their sequencers',
    )
    .option('--remove', 'end the override, and stop a sequencer that --sequence has started')
    .option('--force', 'even while the cluster has a leader')
    .action((id: string, options: OverrideOptions) =>
      operate(io, options, async (operation) => {
        const { cluster } = operation;
        const wanted = options.remove !== true;
        let before = await cluster.view();
        const target = memberOf(before, id);
        if (wanted && !options.force) before = await requireNoLeader(operation, before);
        if (!target.status) throw new CommandError('incomplete', `${id} does not answer: ${target.silence}`);
        if (wanted && options.sequence) return sequenceAlone(operation, before, id, options);
        if (!(await confirmed(io, wanted ? planToSet(before, id) : planToEnd(before, target), options)))
          return;
        if (!wanted) await stopIfAlone(operation, target);
        await ask(operation, target, 'conductor_overrideLeader', [wanted]);
        await operation.until((view) => {
          const status = memberOf(view, id).status;
          if (!status) return `${id} does not answer`;
          return status.leaderOverridden === wanted
            ? undefined
            : `the override is ${wanted ? 'not' : 'still'} set`;
        });
        operation.done(wanted ? setText(id) : endedText(target), { leaderOverridden: wanted, id });
      }),
    );
};

type OverrideOptions = ChangingOptions & { sequence?: true; remove?: true; force?: true };

const setText = (id: string): string =>
  `${id} calls itself leader, and batchers follow it. Its op-node asks for commits as before: with --sequence it goes on without them`;

function endedText({ id, status }: Member): string {
  const isOverridden = (status?.node.overriddenSinceMs ?? null) !== null;
  const left = isOverridden
    ? 'Restart its op-node now: it forgets admin_overrideLeader by nothing else, and baton status shows node-overridden until then'
    : 'If somebody has told its op-node admin_overrideLeader by hand, restart it: it forgets that by nothing else';
  return `${id} is leader only if the cluster elects it. ${left}`;
}

/** No member commits its blocks. If it is not paused, it stops the sequencer by itself. */
async function stopIfAlone(operation: Operation, target: Member): Promise<void> {
  const { id, status } = target;
  if (!status?.paused || status.node.overriddenSinceMs === null || !status.node.sequencerActive) return;
  const head = await ask(operation, target, 'conductor_stopSequencer');
  operation.done(`${id}: sequencer stopped at ${String(head)}`);
}

function planToSet(view: ClusterView, id: string): string[] {
  const [leader] = leaders(view);
  const state = leader
    ? `${leader.id} leads in term ${leader.status.term}: both will call themselves leader, and batchers may follow either.`
    : `There is ${noLeader(view)}.`;
  return [
    `${id} will call itself leader, whatever the cluster says.`,
    state,
    ...(isQuorumLost(view) ? [INSTEAD] : []),
    standingText(view),
  ];
}

function planToEnd(view: ClusterView, { id, status }: Member): string[] {
  const isAlone =
    status !== null && status.node.overriddenSinceMs !== null && status.node.sequencerActive === true;
  return [
    ...(isAlone ? [`The sequencer of ${id}, which publishes without consensus, will be stopped.`] : []),
    `${id} will be leader only if the cluster elects it.`,
    standingText(view),
  ];
}

/** A cluster that can elect a leader does so within this many elections, and this minimum time. */
const ELECTIONS = 3;
const SHORTEST_LOOK_MS = 1000;

/** Looks for longer than a moment: a cluster with a quorum has no leader during an election either. */
async function requireNoLeader({ until }: Operation, before: ClusterView): Promise<ClusterView> {
  const electionsMs = answering(before).map(({ status }) => ELECTIONS * status.timing.electionTimeoutMs);
  const endMs = performance.now() + Math.max(SHORTEST_LOOK_MS, ...electionsMs);
  const after = await until((view) =>
    leaders(view).length > 0 || performance.now() >= endMs ? undefined : 'an election may be under way',
  );
  const [leader] = leaders(after);
  if (leader) throw new CommandError('leader-exists', `${leader.id} leads in term ${leader.status.term}`);
  return after;
}

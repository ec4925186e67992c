import { ClientError } from '../../rpc/clients/client-error.js';
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
import { answering, isQuorumLost, leaders, noLeader, type ClusterView } from '../verdict/cluster-view.js';
import { standingText } from '../verdict/standing-after.js';

/** `baton override <id>`: the last resort when the cluster has lost its quorum. */
export const addOverride: AddCommand = (program, io) => {
  changingCommand(program, io, 'override <id>')
    .description(
      'let a member call itself leader without a quorum (disaster recovery: section Without a quorum of the runbook)',
    )
    .option('--remove', 'end the override')
    .option('--force', 'even while the cluster has a leader')
    .action((id: string, options: ChangingOptions & { remove?: true; force?: true }) =>
      operate(io, options, async (operation) => {
        const { cluster, deadline } = operation;
        const wanted = options.remove !== true;
        let before = await cluster.view();
        const target = memberOf(before, id);
        if (wanted && !options.force) before = await requireNoLeader(operation, before);
        if (!target.status) throw new CommandError('incomplete', `${id} does not answer: ${target.silence}`);
        if (!(await confirmed(io, wanted ? planToSet(before, id) : planToEnd(before, id), options))) return;
        try {
          await cluster.call(target, 'conductor_overrideLeader', [wanted], deadline.remainingMs);
        } catch (error) {
          throw error instanceof ClientError ? refused(error) : error;
        }
        await operation.until((view) => {
          const status = memberOf(view, id).status;
          if (!status) return `${id} does not answer`;
          return status.leaderOverridden === wanted
            ? undefined
            : `the override is ${wanted ? 'not' : 'still'} set`;
        });
        operation.done(
          wanted
            ? `${id} calls itself leader. Blocks are not replicated by that: op-node publishes without Raft only after admin_overrideLeader`
            : `${id} is leader only if Raft says so again. op-node forgets admin_overrideLeader only by a restart`,
          { leaderOverridden: wanted, id },
        );
      }),
    );
};

function planToSet(view: ClusterView, id: string): string[] {
  const [leader] = leaders(view);
  const state = leader
    ? `${leader.id} leads in term ${leader.status.term}: both will call themselves leader, and batchers may follow either.`
    : `There is ${noLeader(view)}.`;
  const instead =
    'Bring back the other voters instead if that is possible. If a majority of the disks is gone for good, baton ' +
    'recover DIRECTORY makes one survivor a cluster of its own: what the lost members alone had committed is given ' +
    'up, and if they come back there are two clusters, which build two chains.';
  return [
    `${id} will call itself leader, whatever the cluster says.`,
    state,
    ...(isQuorumLost(view) ? [instead] : []),
    standingText(view),
  ];
}

function planToEnd(view: ClusterView, id: string): string[] {
  return [`${id} will be leader only if the cluster elects it.`, standingText(view)];
}

/** Elections within which a cluster that can has a leader, and the least time that they get. */
const ELECTIONS = 3;
const SHORTEST_LOOK_MS = 1000;

/** Looks for longer than a moment: while a cluster with a quorum elects, nobody leads either. */
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

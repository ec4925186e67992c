import { ClientError } from '../../rpc/clients/client-error.js';
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
import { answering, leaders, type ClusterView } from './cluster/cluster-view.js';

/** `baton override <id>`: the last resort when the cluster has lost its quorum. */
export const addOverride: AddCommand = (program, io) => {
  clusterCommand(program, io, 'override <id>')
    .description('let a member call itself leader without a quorum (disaster recovery, see docs/RUNBOOK.md)')
    .option('--remove', 'end the override')
    .option('--force', 'even while another member leads')
    .action((id: string, options: ClusterOptions & { remove?: true; force?: true }) =>
      operate(io, options, async (operation) => {
        const { cluster, deadline } = operation;
        const wanted = options.remove !== true;
        const before = await cluster.view();
        const target = memberOf(before, id);
        if (wanted && !options.force) await requireNoOtherLeader(operation, before, id);
        if (!target.status) throw new CommandError('incomplete', `${id} does not answer: ${target.silence}`);
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
        );
      }),
    );
};

/** Elections within which a cluster that can has a leader, and the least time that they get. */
const ELECTIONS = 3;
const SHORTEST_LOOK_MS = 1000;

/** Looks for longer than a moment: while a cluster with a quorum elects, nobody leads either. */
async function requireNoOtherLeader({ until }: Operation, before: ClusterView, id: string): Promise<void> {
  const electionsMs = answering(before).map(({ status }) => ELECTIONS * status.timing.electionTimeoutMs);
  const endMs = performance.now() + Math.max(SHORTEST_LOOK_MS, ...electionsMs);
  const after = await until((view) =>
    leaders(view).length > 0 || performance.now() >= endMs ? undefined : 'an election may be under way',
  );
  const other = leaders(after).find((leader) => leader.id !== id);
  if (other) throw new CommandError('leader-exists', `${other.id} leads in term ${other.status.term}`);
}

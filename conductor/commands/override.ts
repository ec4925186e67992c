import { ClientError } from '../../rpc/clients/client-error.js';
import { CommandError } from './command-error.js';
import type { AddCommand } from './command.js';
import {
  clusterCommand,
  memberOf,
  operate,
  refused,
  type ClusterOptions,
} from './cluster/cluster-command.js';
import { leaders } from './cluster/cluster-view.js';

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
        const other = leaders(before).find((leader) => leader.id !== id);
        if (wanted && other && !options.force) {
          throw new CommandError('leader-exists', `${other.id} leads in term ${other.status.term}`);
        }
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

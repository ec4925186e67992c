import { CommandError } from './command-error.js';
import type { AddCommand } from './command.js';
import { clusterCommand, operate, type ClusterOptions } from './cluster/cluster-command.js';
import { problems } from './cluster/cluster-view.js';
import { renderJson, renderTable } from './cluster/render-status.js';

/** `baton status`: the whole cluster in one table. Fails unless it is healthy and has exactly one leader. */
export const addStatus: AddCommand = (program, io) => {
  clusterCommand(program, io, 'status')
    .description('show the whole cluster; exit code 0 only if it is healthy and has exactly one leader')
    .option('--json', 'print JSON, with everything that each member says of itself')
    .action((options: ClusterOptions & { json?: true }) =>
      operate(io, options, async ({ cluster }) => {
        const view = await cluster.view();
        io.print(options.json ? renderJson(view) : renderTable(view));
        const [first, ...more] = problems(view);
        if (first === undefined) return;
        throw new CommandError('unhealthy', more.length === 0 ? first : `${first}, and ${more.length} more`);
      }),
    );
};

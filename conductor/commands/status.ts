import type { AddCommand } from './command.js';
import { clusterCommand, operate, type ClusterOptions } from './cluster/cluster-command.js';
import { renderJson, renderTable } from './cluster/render-status.js';
import { judgeCluster } from '../verdict/judge-cluster.js';
import { EXIT } from './exit-codes.js';

const CODES = { ok: EXIT.ok, degraded: EXIT.failed, critical: EXIT.critical };

/** `baton status`: the whole cluster in one table, and the verdict on it as exit code. */
export const addStatus: AddCommand = (program, io) => {
  clusterCommand(program, io, 'status')
    .description(
      'show the whole cluster; the exit code is 0 if it is ok, 1 degraded, 2 critical, 3 for a wrong command line, 4 if nobody answers',
    )
    .option('--json', 'print JSON, with everything that each member says of itself')
    .action((options: ClusterOptions & { json?: true }) =>
      operate(io, options, async ({ cluster }) => {
        const view = await cluster.view();
        io.print(options.json ? renderJson(view) : renderTable(view));
        io.endWith(CODES[judgeCluster(view).level]);
      }),
    );
};

import { InvalidArgumentError } from 'commander';
import { duration } from '../config/value-types.js';
import type { AddCommand } from './command.js';
import { clusterCommand, operate, type ClusterOptions } from './cluster/cluster-command.js';
import { renderHistory } from './cluster/render-history.js';

/** A point in time: an age, or a date with time. */
type Since = { agoMs: number } | { atMs: number };

/** `baton history`: what happened to the cluster and who did it, from any member. */
export const addHistory: AddCommand = (program, io) => {
  clusterCommand(program, io, 'history')
    .description(
      'show what happened to the cluster, oldest first: changes that were asked for, and new leaders',
    )
    .option('--since <when>', 'only what is newer: 2h, or 2026-12-01T17:20:00Z', readSince)
    .option('--json', 'print JSON')
    .action(({ since, json, ...options }: ClusterOptions & { since?: Since; json?: true }) =>
      operate(io, options, async ({ cluster }) => {
        const history = await cluster.history(sinceMs(since));
        io.print(json ? JSON.stringify(history, null, 2) : renderHistory(history));
      }),
    );
};

function sinceMs(since: Since | undefined): number {
  if (!since) return 0;
  return 'agoMs' in since ? Math.max(0, Date.now() - since.agoMs) : since.atMs;
}

const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

function readSince(text: string): Since {
  const atMs = RFC_3339.test(text) ? Date.parse(text) : NaN;
  if (atMs >= 0) return { atMs };
  const ago = duration.schema.safeParse(text);
  if (ago.success && ago.data >= 0) return { agoMs: ago.data };
  throw new InvalidArgumentError('Expected a duration such as 2h, or a time such as 2026-12-01T17:20:00Z.');
}

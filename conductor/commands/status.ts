import { InvalidArgumentError } from 'commander';
import { sleep } from '../time/sleep.js';
import { judgeCluster } from '../verdict/judge-cluster.js';
import { clusterCommand, operate, readDuration, type ClusterOptions } from './cluster/cluster-command.js';
import { renderTable, statusDocument } from './cluster/render-status.js';
import type { AddCommand, RunIo } from './command.js';
import { CommandError } from './command-error.js';
import { EXIT } from './exit-codes.js';
import { documentFormat, withOutput, writeDocument, type OutputFormat } from './output/document.js';
import type { ClusterView } from '../verdict/cluster-view.js';

const CODES = { ok: EXIT.ok, degraded: EXIT.failed, critical: EXIT.critical };

const WATCH_EVERY_MS = 2000;
const WATCH_MIN_MS = 100;

type Options = ClusterOptions & { output: OutputFormat; watch?: true | number };

/** `baton status`: the whole cluster in one table, with the verdict as exit code. */
export const addStatus: AddCommand = (program, io) => {
  const command = clusterCommand(program, io, 'status').description(
    'show the whole cluster; the exit code is 0 if it is ok, 1 degraded, 2 critical, 3 for a wrong command line, 4 if nobody answers',
  );
  withOutput(command, ['table', 'wide', 'json', 'yaml'])
    .option('-w, --watch [interval]', 'show it again and again, every two seconds or as given', readInterval)
    .action((options: Options) =>
      operate(io, options, async ({ cluster }) => {
        const look = async (): Promise<string> => {
          const view = await cluster.view();
          io.endWith(CODES[judgeCluster(view).level]);
          return render(view, options, io);
        };
        if (options.watch === undefined) io.print(await look());
        else await watch(look, options.watch === true ? WATCH_EVERY_MS : options.watch, io);
      }),
    );
};

/** Until the user cancels. */
async function watch(look: () => Promise<string>, everyMs: number, io: RunIo): Promise<void> {
  const { signal, screen, print } = io;
  while (!signal.aborted) {
    const text = await look().catch((error: unknown) => {
      if (!(error instanceof CommandError)) throw error;
      // If the user cancels during a look, the previous one counts.
      if (!signal.aborted) io.endWith(EXIT.noAnswer);
      return `error: ${error.message}`;
    });
    if (signal.aborted) return;
    if (screen) screen.redraw(`${new Date().toISOString()}, every ${everyMs / 1000} s\n\n${text}`);
    else print(text);
    await sleep(everyMs, signal).catch(() => undefined);
  }
}

function render(view: ClusterView, { output, watch }: Options, { screen }: RunIo): string | Promise<string> {
  const format = documentFormat(output);
  // One document per line, so that a program can read them one by one.
  if (format === 'json' && watch !== undefined) return JSON.stringify(statusDocument(view));
  if (format) return writeDocument(statusDocument(view), format);
  const look = { wide: output === 'wide', nowMs: Date.now() };
  return renderTable(view, screen ? { ...look, columns: screen.columns(), color: screen.color } : look);
}

function readInterval(text: string): number {
  const ms = readDuration(text);
  if (ms < WATCH_MIN_MS) throw new InvalidArgumentError('Expected 100ms or more.');
  return ms;
}

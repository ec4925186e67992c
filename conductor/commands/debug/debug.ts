import path from 'node:path';
import type { AddCommand } from '../command.js';
import { clusterCommand, operate, type ClusterOptions, type Operation } from '../cluster/cluster-command.js';
import { renderTable, statusDocument } from '../cluster/render-status.js';
import { writeDocument } from '../output/document.js';
import type { ClusterView } from '../../verdict/cluster-view.js';
import type { ArchiveFile } from './archive.js';
import { memberFiles } from './member-files.js';

const CONTENTS = `What baton debug found. User names, passwords, paths and queries of URLs are left out.

status.txt                  the table of baton status, and the verdict
cluster.json                the same as JSON, with everything that each member says of itself: membership, timing, term,
                            log, heads, health
members/ID/status.json      what the member says of itself
members/ID/log.jsonl        its newest log lines, from level debug on
members/ID/metrics.txt      its metrics page
members/ID/versions.json    of Baton, Node.js, op-node and the execution client
members/ID/config.json      its settings
members/ID/history.json     its history, if it keeps one
members/ID/no-answer.txt    why there is nothing of it
`;

/** `baton debug`: one archive with everything known about a cluster, for analysis later or elsewhere. */
export const addDebug: AddCommand = (program, io) => {
  clusterCommand(program, io, 'debug')
    .description(
      'write one archive with status, logs, metrics, versions and settings of all members, without secrets',
    )
    .option('--out <file>', 'where to; baton-debug-TIME.tar.gz in this directory unless given')
    .action(({ out, ...options }: ClusterOptions & { out?: string }) =>
      operate(io, options, async (operation) => {
        const view = await operation.cluster.view();
        const name = `baton-debug-${new Date().toISOString().replace(/[-:]|\.\d+/g, '')}`;
        const file = path.resolve(out ?? `${name}.tar.gz`);
        const silent: string[] = [];
        // Only this command needs it.
        const { writeArchive } = await import('./archive.js');
        await writeArchive(file, filesOf(operation, view, name, silent), io.signal);
        for (const line of silent) operation.note(line);
        const count = view.members.length;
        operation.done(`${file}: ${count - silent.length} of ${count} members answered`);
      }),
    );
};

/** @param silent is told which members gave nothing, and why */
async function* filesOf(
  { cluster }: Operation,
  view: ClusterView,
  folder: string,
  silent: string[],
): AsyncGenerator<ArchiveFile> {
  const inFolder = ({ name, text }: ArchiveFile): ArchiveFile => ({ name: `${folder}/${name}`, text });
  yield inFolder({ name: 'contents.txt', text: CONTENTS });
  yield inFolder({ name: 'status.txt', text: `${renderTable(view, { wide: true, nowMs: Date.now() })}\n` });
  yield inFolder({ name: 'cluster.json', text: `${await writeDocument(statusDocument(view), 'json')}\n` });
  // All are asked at once, since they may all be slow.
  for (const asked of view.members.map((member) => memberFiles(cluster, member))) {
    const { id, files, missing } = await asked;
    if (missing !== undefined) silent.push(`nothing from ${id}: ${missing}`);
    for (const one of files) yield inFolder(one);
  }
}

import { inspectDirectory, StorageError } from '../../../raft/index.js';
import { CommandError } from '../command-error.js';
import type { AddCommand } from '../command.js';
import { ChainSummary } from './chain-summary.js';
import { dataDirectory } from './data-directory.js';
import { inspectionJson, inspectionLines } from './render-inspection.js';

/** `baton inspect DIRECTORY`: what a stopped node has on disk, and whether all of it is sound. */
export const addInspect: AddCommand = (program, io) => {
  program
    .command('inspect <directory>')
    .description('show and verify the data directory of a node that does not run; writes nothing there')
    .option('--json', 'print one JSON object')
    .action(async (directory: string, { json }: { json?: boolean }) => {
      const chain = new ChainSummary();
      const inspection = await inspectDirectory(dataDirectory(directory), chain).catch(asCommandError);
      if (json) io.print(JSON.stringify(inspectionJson(inspection, chain), null, 2));
      else for (const line of inspectionLines(inspection, chain)) io.print(line);
      if (inspection.ok && chain.problem === undefined) return;
      const failed = inspection.checks.find(({ error }) => error)?.error;
      throw new CommandError('damaged', failed?.message ?? chain.problem ?? 'not everything could be read');
    });
};

/** @throws CommandError `storage` for what storage refuses */
export function asCommandError(error: unknown): never {
  if (error instanceof StorageError) throw new CommandError('storage', error.message, error.remedy);
  throw error;
}

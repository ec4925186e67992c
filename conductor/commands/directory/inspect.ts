import { inspectDirectory, StorageError } from '../../../raft/index.js';
import { CommandError } from '../command-error.js';
import type { RunIo } from '../command.js';
import { documentFormat, writeDocument, type OutputFormat } from '../output/document.js';
import { ChainSummary } from './chain-summary.js';
import { dataDirectory } from './data-directory.js';
import { inspectionJson, inspectionLines, seenOf } from './render-inspection.js';

/** Prints the content. @throws CommandError `damaged`, `storage`, `usage` */
export async function inspect(directory: string, output: OutputFormat, io: RunIo): Promise<void> {
  const chain = new ChainSummary();
  const inspection = await inspectDirectory(dataDirectory(directory), chain).catch(asCommandError);
  const format = documentFormat(output);
  if (format) io.print(await writeDocument(inspectionJson(inspection, chain), format));
  else for (const line of inspectionLines(inspection, chain)) io.print(line);
  if (inspection.ok && chain.problem === undefined) return;
  const failed = inspection.checks.find(({ error }) => error)?.error;
  throw new CommandError(
    'damaged',
    failed ? seenOf(failed) : (chain.problem ?? 'not everything could be read'),
  );
}

/** @throws CommandError `storage` if storage refuses */
export function asCommandError(error: unknown): never {
  if (error instanceof StorageError) throw new CommandError('storage', seenOf(error), error.remedy);
  throw error;
}

import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { CommandError } from '../command-error.js';

const isDatabase = (directory: string): boolean => existsSync(path.join(directory, 'CURRENT'));

/**
 * The data directory itself, also when `--raft.storage.dir` was given, which holds it as `SERVER-ID/baton`.
 *
 * @throws CommandError `usage` when there are several
 */
export function dataDirectory(given: string): string {
  if (isDatabase(given) || !existsSync(given)) return given;
  const found = readdirSync(given)
    .map((id) => path.join(given, id, 'baton'))
    .filter(isDatabase);
  if (found.length > 1) {
    throw new CommandError(
      'usage',
      `${given} holds several data directories: name one of ${found.join(', ')}`,
    );
  }
  return found[0] ?? given;
}

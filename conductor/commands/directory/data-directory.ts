import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { absolute, pathMistake } from '../../config/folders.js';
import { CommandError } from '../command-error.js';

const isDatabase = (directory: string): boolean => existsSync(path.join(directory, 'CURRENT'));

/**
 * The data directory itself, even if the path of `--raft.storage.dir` was given, which holds it as `SERVER-ID/baton`,
 * or the folder of a server in it.
 *
 * @throws CommandError `usage` if there are several, or none and the path looks like a mistake
 */
export function dataDirectory(text: string): string {
  const given = absolute(text);
  if (!existsSync(given)) {
    const mistake = pathMistake(text);
    if (mistake !== undefined) throw new CommandError('usage', `there is no ${given}: ${mistake}`);
    return given;
  }
  if (isDatabase(given)) return given;
  const within = path.join(given, 'baton');
  if (isDatabase(within)) return within;
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

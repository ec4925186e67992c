import { mkdir, open, stat } from 'node:fs/promises';
import path from 'node:path';
import { StorageError } from './errors.js';

/** Errors of a path that cannot become a directory, even with a healthy disk. */
const UNUSABLE = ['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'EROFS', 'ELOOP', 'ENAMETOOLONG'];

/**
 * Durably creates the missing parts of the path. LevelDB syncs the content of its directory, but not its name. Creates one
 * part at a time: Node's recursive `mkdir` never ends where a parent exists but allows no entries, as `/proc` does.
 *
 * @throws StorageError `unusable-directory`; other errors of the file system are passed on
 */
export async function createDirectory(directory: string): Promise<void> {
  try {
    for (const missing of await missingParts(path.resolve(directory))) {
      await mkdir(missing).catch(unlessExists);
      const parent = await open(path.dirname(missing), 'r');
      await parent.sync().finally(() => parent.close());
    }
    if (!(await stat(directory)).isDirectory()) throw unusable(directory, 'it is no directory');
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw UNUSABLE.includes(code) ? unusable(directory, message, error) : error;
  }
}

/** The missing parts of an absolute path, topmost first. */
async function missingParts(absolute: string): Promise<string[]> {
  const missing: string[] = [];
  for (let part = absolute; !(await exists(part)); part = path.dirname(part)) missing.unshift(part);
  return missing;
}

async function exists(file: string): Promise<boolean> {
  try {
    await stat(file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** Another process may have created it meanwhile. */
function unlessExists(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

function unusable(directory: string, why: string, cause?: unknown): StorageError {
  const seen = `${directory} is no directory that can be used (${why})`;
  return new StorageError('unusable-directory', seen, { directory }, { cause });
}

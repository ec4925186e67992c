import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { StorageError } from '../errors.js';
import { liveTables } from './live-tables.js';
import { checkTable } from './table-blocks.js';

/**
 * Checks the CRC of every block in the tables of a database before LevelDB opens it. LevelDB itself does not check them
 * when it reads: it would return damaged blocks, or end the process in an assertion that does not mention the disk.
 *
 * A directory without a database passes.
 *
 * @throws StorageError `damaged-database`
 */
export async function checkFiles(directory: string): Promise<void> {
  const current = await readOptional(path.join(directory, 'CURRENT'));
  if (current === undefined) return;
  const manifestFile = current.toString('latin1').trimEnd();
  if (!/^MANIFEST-\d+$/.test(manifestFile)) throw damaged(directory, 'CURRENT', 'it names no MANIFEST');
  const manifest = await readOptional(path.join(directory, manifestFile));
  if (manifest === undefined) throw damaged(directory, manifestFile, 'the file is missing');
  for (const number of sound(directory, manifestFile, () => liveTables(manifest))) {
    const file = `${String(number).padStart(6, '0')}.ldb`;
    const table = await readOptional(path.join(directory, file));
    if (table === undefined) throw damaged(directory, file, 'the file is missing');
    sound(directory, file, () => checkTable(table));
  }
}

function sound<T>(directory: string, file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw damaged(directory, file, (error as Error).message);
  }
}

async function readOptional(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function damaged(directory: string, file: string, seen: string): StorageError {
  return new StorageError('damaged-database', `${path.join(directory, file)} is damaged: ${seen}`, {
    directory,
    file,
  });
}

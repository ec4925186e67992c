import { constants } from 'node:fs';
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { lockDirectory } from '../storage/directory-lock.js';
import { StorageError } from '../storage/errors.js';

/** LevelDB's lock and its own log, and what a running node had received of a snapshot. */
const NOT_COPIED = ['LOCK', 'LOG', 'LOG.old', 'incoming-snapshot'];

/**
 * Runs `work` on a copy of a data directory in the system's directory for temporary files, as LevelDB cannot open one
 * without writing to it. The directory is locked meanwhile and stays as it is.
 *
 * @throws StorageError `no-database`, `locked`, `io`
 */
export async function onCopy<T>(directory: string, work: (copy: string) => Promise<T>): Promise<T> {
  const files = await readdir(directory).catch(() => []);
  if (!files.some((file) => file === 'CURRENT' || /\.(ldb|log)$/.test(file))) {
    throw new StorageError('no-database', `${directory} is not a Baton data directory`, { directory });
  }
  const release = await lockDirectory(directory);
  try {
    const scratch = await mkdtemp(path.join(tmpdir(), 'baton-copy-'));
    try {
      await copyInto(directory, files, scratch);
      return await work(scratch);
    } finally {
      await rm(scratch, { recursive: true });
    }
  } finally {
    await release();
  }
}

async function copyInto(directory: string, files: readonly string[], scratch: string): Promise<void> {
  try {
    for (const file of files) {
      if (NOT_COPIED.includes(file)) continue;
      // Costs nothing where the file system can share blocks.
      const mode = constants.COPYFILE_FICLONE;
      await cp(path.join(directory, file), path.join(scratch, file), { recursive: true, mode });
    }
  } catch (error) {
    const seen = `${directory} cannot be copied to ${scratch} (${(error as Error).message})`;
    throw new StorageError('io', seen, { directory, scratch }, { cause: error });
  }
}

import { constants } from 'node:fs';
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { lockDirectory } from '../storage/directory-lock.js';
import { StorageError } from '../storage/errors.js';

/** LevelDB's lock and its own log, and partially received snapshots. */
const NOT_COPIED = ['LOCK', 'LOG', 'LOG.old', 'incoming-snapshot'];

/**
 * Runs `work` on a copy of a data directory in the system's temporary directory, because LevelDB cannot open a directory
 * without writing to it. The original is locked meanwhile and does not change.
 *
 * @throws StorageError `no-database`, `locked`, `io`
 */
export async function onCopy<T>(directory: string, work: (copy: string) => Promise<T>): Promise<T> {
  const files = await readdir(directory).catch(() => []);
  // What LevelDB calls its files: a folder with other logs in it is somebody else's.
  if (!files.some((file) => file === 'CURRENT' || /^\d{6,}\.(ldb|log)$/.test(file))) {
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
      // Free on a file system that can share blocks.
      const mode = constants.COPYFILE_FICLONE;
      await cp(path.join(directory, file), path.join(scratch, file), { recursive: true, mode });
    }
  } catch (error) {
    const seen = `${directory} cannot be copied to ${scratch} (${(error as Error).message})`;
    throw new StorageError('io', seen, { directory, scratch }, { cause: error });
  }
}

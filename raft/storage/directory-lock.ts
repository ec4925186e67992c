import { access, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Level } from 'level';
import { StorageError } from './errors.js';

/**
 * Takes the lock of the database in `directory` without opening it, and so without changing anything: LevelDB opens an
 * empty database elsewhere, whose LOCK is a link to the one here. While it is held, no other process can open the
 * directory.
 *
 * Do not use it for a directory that this process itself has open: closing the lock would free both.
 *
 * @returns releases the lock
 * @throws StorageError `locked`
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  const lock = path.resolve(directory, 'LOCK');
  const scratch = await mkdtemp(path.join(tmpdir(), 'baton-lock-'));
  const remove = (): Promise<void> => rm(scratch, { recursive: true });
  try {
    // Without a LOCK file, no LevelDB was ever opened there, and a dangling link would create it.
    if (await exists(lock)) await symlink(lock, path.join(scratch, 'LOCK'));
    const holder = new Level(scratch);
    await holder.open();
    return () => holder.close().finally(remove);
  } catch (error) {
    await remove();
    const { code, message } =
      (error as { cause?: { code?: string; message: string } }).cause ?? (error as Error & { code?: string });
    const use = code === 'LEVEL_LOCKED' ? 'locked' : 'io';
    const seen = use === 'locked' ? 'is in use by another process' : `cannot be locked (${message})`;
    throw new StorageError(use, `${directory} ${seen}`, { directory }, { cause: error });
  }
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

import { readdir } from 'node:fs/promises';
import { Level, type GetManyOptions, type GetOptions } from 'level';
import { createDirectory } from './create-directory.js';
import { lockDirectory } from './directory-lock.js';
import { StorageError } from './errors.js';
import { checkFiles } from './leveldb/check-files.js';

/**
 * On Node, `Level` is classic-level's class. The types of `level` omit what browsers cannot do, and do not say that a key
 * may be missing.
 */
export type Database = Omit<Level<Buffer, Buffer>, 'get' | 'getMany'> & {
  get(key: Buffer, options?: GetOptions<Buffer, Buffer>): Promise<Buffer | undefined>;
  getMany(keys: Buffer[], options?: GetManyOptions<Buffer, Buffer>): Promise<(Buffer | undefined)[]>;
  compactRange(start: Buffer, end: Buffer): Promise<void>;
};

export type DatabaseSnapshot = ReturnType<Database['snapshot']>;

/**
 * LevelDB maps the tables that it reads. Small tables keep the memory of a compaction small, and free disk space sooner.
 */
const TABLE_BYTES = 2 << 20;

/** Opens LevelDB in `directory`, which is created if missing. */
export async function openDatabase(directory: string, writeBufferBytes: number): Promise<Database> {
  try {
    await createDirectory(directory);
    await refuseHeadlessDatabase(directory);
    await checkIdleFiles(directory);
    // Only now, because the constructor opens the database by itself.
    const database: Database = new Level<Buffer, Buffer>(directory, {
      keyEncoding: 'buffer',
      valueEncoding: 'buffer',
      // Payloads are mostly compressed already, and time on this path is commit latency.
      compression: false,
      writeBufferSize: writeBufferBytes,
      maxFileSize: TABLE_BYTES,
      // Entries are read once, in order, so a cache would only waste memory.
      cacheSize: 1 << 20,
    }) as Database;
    await database.open();
    return database;
  } catch (error) {
    throw openError(directory, error);
  }
}

/** LevelDB would start an empty database over the tables of a database that lost its CURRENT file. */
async function refuseHeadlessDatabase(directory: string): Promise<void> {
  const files = await readdir(directory);
  if (files.includes('CURRENT') || !files.some((file) => /\.(ldb|sst|log)$/.test(file))) return;
  throw new StorageError(
    'damaged-database',
    `${directory} holds tables of a database, but its CURRENT file is missing`,
    {
      directory,
    },
  );
}

/** Files that change while they are checked look damaged. In that case another process that has them open is reported. */
async function checkIdleFiles(directory: string): Promise<void> {
  try {
    await checkFiles(directory);
  } catch (error) {
    const release = await lockDirectory(directory).catch((reason: unknown) => {
      if (reason instanceof StorageError && reason.code === 'locked') throw reason;
      return undefined;
    });
    await release?.();
    throw error;
  }
}

function openError(directory: string, error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  const { code, message } =
    (error as { cause?: { code?: string; message: string } }).cause ?? (error as Error & { code?: string });
  const options = { cause: error };
  if (code === 'LEVEL_LOCKED') {
    return new StorageError(
      'locked',
      `${directory} is in use by another process (${message})`,
      { directory },
      options,
    );
  }
  if (code === 'LEVEL_CORRUPTION') {
    return new StorageError(
      'damaged-database',
      `${directory} is damaged (${message})`,
      { directory },
      options,
    );
  }
  return new StorageError('io', `${directory} cannot be opened (${message})`, { directory }, options);
}

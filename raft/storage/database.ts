import { open, readdir } from 'node:fs/promises';
import path from 'node:path';
import { ClassicLevel } from 'classic-level';
import { StorageError } from './errors.js';

export type Database = ClassicLevel<Buffer, Buffer>;

const TABLE_BYTES = Number(process.env.TB ?? 8) * (1 << 20);

/** Opens LevelDB in `directory`, created when missing. */
export async function openDatabase(directory: string, writeBufferBytes: number): Promise<Database> {
  await refuseHeadlessDatabase(directory);
  const database: Database = new ClassicLevel<Buffer, Buffer>(directory, {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
    // Payloads are mostly compressed already, and time on this path is commit latency.
    compression: false,
    writeBufferSize: writeBufferBytes,
    maxFileSize: TABLE_BYTES,
    // Entries are read once, in order: a cache of them would only hold memory.
    cacheSize: 1 << 20,
  });
  try {
    await database.open();
  } catch (error) {
    throw openError(directory, error);
  }
  return database;
}

/** LevelDB would start an empty database over the tables of one that lost its CURRENT file (bug 40). */
async function refuseHeadlessDatabase(directory: string): Promise<void> {
  const files = await readdir(directory).catch((): string[] => []);
  if (files.includes('CURRENT') || !files.some((file) => /\.(ldb|sst|log)$/.test(file))) return;
  throw new StorageError(
    'damaged-database',
    `${directory} holds tables of a database, but its CURRENT file is missing`,
    {
      directory,
    },
  );
}

function openError(directory: string, error: unknown): StorageError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = (cause as { code?: unknown }).code;
  const reason = cause instanceof Error ? cause.message : String(cause);
  const options = { cause: error };
  if (code === 'LEVEL_LOCKED') {
    return new StorageError(
      'locked',
      `${directory} is in use by another process (${reason})`,
      { directory },
      options,
    );
  }
  if (code === 'LEVEL_CORRUPTION') {
    return new StorageError(
      'damaged-database',
      `${directory} is damaged (${reason})`,
      { directory },
      options,
    );
  }
  return new StorageError('io', `${directory} cannot be opened (${reason})`, { directory }, options);
}

/** Makes a new directory itself durable: LevelDB syncs what is in it, not its name (bug 63). */
export async function syncDirectoryEntry(directory: string): Promise<void> {
  const parent = await open(path.dirname(path.resolve(directory)), 'r');
  try {
    await parent.sync();
  } finally {
    await parent.close();
  }
}

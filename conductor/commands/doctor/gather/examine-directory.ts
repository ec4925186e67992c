import { constants } from 'node:fs';
import { access, open, readdir, stat, statfs, unlink } from 'node:fs/promises';
import path from 'node:path';
import { lockDirectory, StorageError } from '../../../../raft/index.js';
import type { DirectoryAnswers, DirectoryContents, DiskSpeed } from '../facts.js';

const WRITES_MAX = 40;
const MEASURE_MS = 2000;
/** A block of a quiet chain. */
const WRITE_BYTES = 4096;
const NAMES_SHOWN = 5;

/**
 * Looks at the directory of a log. Creates only a file for the measurement, and removes it again. Answers one question
 * after the other, since a hung disk answers no further ones.
 *
 * @param signal ends the measurement, as soon as the disk lets it end
 */
export async function examineDirectory(
  directory: string,
  answer: (part: DirectoryAnswers) => void,
  signal: Pick<AbortSignal, 'throwIfAborted'>,
): Promise<void> {
  const existing = await nearestExisting(directory);
  const found = await stat(existing);
  const isDirectory = found.isDirectory();
  const isWritable = isDirectory && (await mayWrite(existing));
  const place = { existing, isDirectory, isWritable, ownerUid: found.uid, ownUid: process.getuid?.() ?? -1 };
  answer({ place });
  const { bavail, blocks, bsize } = await statfs(existing);
  answer({ space: { freeBytes: bavail * bsize, sizeBytes: blocks * bsize } });
  const contents = existing === directory && isDirectory ? await contentsOf(directory) : ABSENT;
  answer({ contents });
  answer({ lock: contents.kind === 'absent' ? 'free' : await lockOf(directory) });
  // Beside the database, not in its directory.
  const at = existing === directory ? path.dirname(directory) : existing;
  answer({ speed: isDirectory ? await measure(at, signal).catch(toError) : { error: 'it is no directory' } });
}

const ABSENT: DirectoryContents = { kind: 'absent', files: [] };

async function nearestExisting(directory: string): Promise<string> {
  for (let part = directory; ; part = path.dirname(part)) {
    try {
      await stat(part);
      return part;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (part === path.dirname(part) || (code !== 'ENOENT' && code !== 'ENOTDIR')) throw error;
    }
  }
}

function mayWrite(directory: string): Promise<boolean> {
  return access(directory, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function contentsOf(directory: string): Promise<DirectoryContents> {
  const names = (await readdir(directory)).sort();
  const files = names.slice(0, NAMES_SHOWN);
  if (names.length === 0) return { kind: 'empty', files };
  if (names.includes('CURRENT')) {
    return { kind: names.includes('write-mark') ? 'baton' : 'other-database', files };
  }
  const isDatabase = names.some((name) => /\.(ldb|sst|log)$/.test(name));
  return { kind: isDatabase ? 'headless-database' : 'other-files', files };
}

async function lockOf(directory: string): Promise<'free' | 'held' | { error: string }> {
  try {
    const release = await lockDirectory(directory);
    await release();
    return 'free';
  } catch (error) {
    return error instanceof StorageError && error.code === 'locked' ? 'held' : toError(error);
  }
}

/** Synced writes one after the other, as the log makes them: append, then sync. Creating the file is not measured. */
async function measure(at: string, signal: Pick<AbortSignal, 'throwIfAborted'>): Promise<DiskSpeed> {
  signal.throwIfAborted();
  const file = path.join(at, `.baton-doctor-${process.pid}`);
  const handle = await open(file, 'wx');
  try {
    const tookMs: number[] = [];
    const bytes = Buffer.alloc(WRITE_BYTES, 1);
    const endMs = performance.now() + MEASURE_MS;
    while (tookMs.length < WRITES_MAX && performance.now() < endMs) {
      signal.throwIfAborted();
      const begunMs = performance.now();
      await handle.write(bytes);
      await handle.datasync();
      tookMs.push(performance.now() - begunMs);
    }
    tookMs.sort((a, b) => a - b);
    const [medianMs, slowestMs] = [tookMs[Math.floor(tookMs.length / 2)]!, tookMs.at(-1)!];
    return { at, writes: tookMs.length, medianMs, slowestMs };
  } finally {
    await handle.close();
    await unlink(file);
  }
}

const toError = (error: unknown): { error: string } => ({ error: (error as Error).message });

import { createGzip } from 'node:zlib';
import { open, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createTarPacker } from 'modern-tar';
import { CommandError } from '../command-error.js';

/** One file of an archive. */
export interface ArchiveFile {
  /** With slashes; no name leads out of the archive. */
  name: string;
  text: string;
}

/** Logs and settings are only for the user who wrote the archive. */
const MODE = 0o600;

/**
 * Writes a new `tar.gz`, one file after the other as they come.
 *
 * @throws CommandError `not-written`, also if the file already exists; in that case nothing is left behind
 */
export async function writeArchive(
  file: string,
  files: AsyncIterable<ArchiveFile>,
  signal: AbortSignal,
): Promise<void> {
  // Opened before any member is asked.
  const handle = await open(file, 'wx', MODE).catch((error: Error) => {
    throw new CommandError('not-written', `the archive cannot be written: ${error.message}`);
  });
  const { readable, controller } = createTarPacker();
  const add = async ({ name, text }: ArchiveFile): Promise<void> => {
    const body = Buffer.from(text);
    const header = { name, size: body.length, mode: MODE, mtime: new Date(), type: 'file' } as const;
    const writer = controller.add(header).getWriter();
    await writer.write(body);
    await writer.close();
  };
  const addAll = async (): Promise<void> => {
    for await (const one of files) await add(one);
    controller.finalize();
  };
  try {
    await Promise.all([
      addAll(),
      pipeline(Readable.fromWeb(readable), createGzip(), handle.createWriteStream(), { signal }),
    ]);
  } catch (error) {
    await rm(file, { force: true });
    if (error instanceof CommandError) throw error;
    throw new CommandError('not-written', `the archive was not finished: ${(error as Error).message}`);
  }
}

import { open, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import type { z } from 'zod';
import { DeadlineExceeded, withDeadline } from '../../common/deadline.js';
import { StorageError } from '../../raft/index.js';

/** As long as a write of the log may take. */
const WRITE_LIMIT_MS = 30_000;

/** The content of a file was not written by this release. */
export class UnreadableFileError extends Error {
  override readonly name = 'UnreadableFileError';
}

/**
 * A small JSON file beside the database, guarded by the lock of the database. It is replaced as a whole: if the machine
 * dies, the file holds either the old content or the new one.
 */
export class KeptFile<T> {
  private turn: Promise<unknown> = Promise.resolve();

  constructor(
    readonly file: string,
    private readonly schema: z.ZodType<T>,
    private readonly limitMs = WRITE_LIMIT_MS,
  ) {}

  /**
   * Undefined when there is no file.
   *
   * @throws StorageError `io` if the file cannot be read
   * @throws UnreadableFileError
   */
  async read(): Promise<T | undefined> {
    const text = await readFile(this.file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw this.failure(error);
    });
    if (text === undefined) return undefined;
    const parsed = this.schema.safeParse(parse(text));
    if (parsed.success) return parsed.data;
    throw new UnreadableFileError(`${this.file} is not what this release writes there`, {
      cause: parsed.error,
    });
  }

  /** On disk when it resolves; writes keep the order of the calls. @throws StorageError `io`, `hung` */
  async write(value: T): Promise<void> {
    const writing = this.turn.then(() =>
      withDeadline(() => this.replace(`${JSON.stringify(value)}\n`), { timeoutMs: this.limitMs }),
    );
    this.turn = writing.catch(() => undefined);
    await writing.catch((error: Error) => {
      throw this.failure(error);
    });
  }

  private async replace(text: string): Promise<void> {
    const { file } = this;
    const temporary = `${file}.new`;
    const directory = path.dirname(file);
    const handle = await open(temporary, 'w');
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
    // A file's name is part of its directory, which must be synced separately.
    const names = await open(directory, 'r');
    await names.sync().finally(() => names.close());
  }

  private failure(error: Error): StorageError {
    const { file } = this;
    const code = error instanceof DeadlineExceeded ? 'hung' : 'io';
    return new StorageError(code, `${file}: ${error.message}`, { file }, { cause: error });
  }
}

/** Undefined if it is not JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

import type { Logger } from 'pino';
import { z } from 'zod';
import type { NodeOverrideStore } from '../control/node-override.js';
import { KeptFile, UnreadableFileError } from './kept-file.js';

const FILE_NAME = 'node-override.json';
/** Rises when an older release could not read the new content (docs/FORMATS.md). */
const FORMAT = 1;

const schema = z.object({
  format: z.literal(FORMAT),
  /** Wall clock in milliseconds; null: op-node was seen to ask its conductor since. */
  sinceMs: z.number().nullable(),
});

interface NodeOverrideFileOptions {
  /** The node's own directory, which also holds the database. */
  directory: string;
  logger: Logger;
  /** The disk failed, so the process must end. Called once the caller of the write can be answered. */
  onFatal: (error: Error) => void;
}

/** Keeps in a file beside the database that op-node publishes without its conductor. */
export class NodeOverrideFile implements NodeOverrideStore {
  private readonly kept;

  constructor(private readonly options: NodeOverrideFileOptions) {
    this.kept = new KeptFile(`${options.directory}/${FILE_NAME}`, schema);
  }

  /**
   * A file that says nothing is taken for an override: op-node is asked within seconds, and until then its sequencer
   * is not started.
   *
   * @throws StorageError `io`
   */
  async read(): Promise<number | null> {
    try {
      return (await this.kept.read())?.sinceMs ?? null;
    } catch (error) {
      if (!(error instanceof UnreadableFileError)) throw error;
      this.options.logger.warn(
        { file: this.kept.file, reason: error.message },
        'override file cannot be read: asking op-node',
      );
      return Date.now();
    }
  }

  /** @throws StorageError, and then ends the process */
  async write(sinceMs: number | null): Promise<void> {
    try {
      await this.kept.write({ format: FORMAT, sinceMs });
    } catch (error) {
      setImmediate(() => this.options.onFatal(error as Error));
      throw error;
    }
  }
}

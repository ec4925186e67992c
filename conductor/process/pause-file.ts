import type { Logger } from 'pino';
import { z } from 'zod';
import type { KeptSwitches, PauseStore } from '../control/switches.js';
import { KeptFile, UnreadableFileError } from './kept-file.js';

const FILE_NAME = 'switches.json';
/** Rises when an older release could not read the new content (docs/FORMATS.md). */
const FORMAT = 1;

/** A release without records does not know these fields and drops them: at worst, it stays paused for longer. */
const details = {
  untilMs: z.number().optional(),
  owner: z.string().optional(),
  reason: z.string().optional(),
};

const schema = z.object({
  format: z.literal(FORMAT),
  /** Null: an operator resumed. */
  paused: z
    .object({
      by: z.enum(['bootstrap', 'conductor_pause']),
      sinceMs: z.number(),
      id: z.string().optional(),
      logIndex: z.number().optional(),
      ...details,
    })
    .nullable(),
  resumed: z.array(z.string()).readonly().optional(),
  cluster: z.object({ id: z.string(), logIndex: z.number(), sinceMs: z.number(), ...details }).optional(),
});

const REMEDY =
  'decide whether this node should be paused: conductor_resume and conductor_pause both rewrite the file';

interface PauseFileOptions {
  /** The node's own directory, which also holds the database. */
  directory: string;
  logger: Logger;
  /** The disk failed, so the process must end. Called once the caller of the write can be answered. */
  onFatal: (error: Error) => void;
}

/** Keeps the pauses in a file beside the database. */
export class PauseFile implements PauseStore {
  private readonly kept;

  constructor(private readonly options: PauseFileOptions) {
    this.kept = new KeptFile(`${options.directory}/${FILE_NAME}`, schema);
  }

  /**
   * A file that says nothing is taken for a pause: an operator may have ordered one. A paused node still votes and
   * keeps the log, so its cluster loses nothing. If it did not start at all, the cluster might lose its quorum.
   *
   * @throws StorageError `io`
   */
  async read(): ReturnType<PauseStore['read']> {
    try {
      return (await this.kept.read()) ?? { paused: null };
    } catch (error) {
      if (!(error instanceof UnreadableFileError)) throw error;
      const { file } = this.kept;
      const { message: reason } = error;
      this.options.logger.error(
        { code: 'unreadable-file', file, reason, remedy: REMEDY },
        'pause file cannot be read: starting paused',
      );
      return { paused: { by: 'unreadable-file', sinceMs: Date.now() } };
    }
  }

  /** @throws StorageError, and then ends the process */
  async write(switches: KeptSwitches): Promise<void> {
    try {
      await this.kept.write({ format: FORMAT, ...switches });
    } catch (error) {
      setImmediate(() => this.options.onFatal(error as Error));
      throw error;
    }
  }
}

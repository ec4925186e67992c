import type { Logger } from 'pino';
import { z } from 'zod';
import type { KeptSwitches, PauseStore } from '../control/switches.js';
import { KeptFile, UnreadableFileError } from './kept-file.js';

const FILE_NAME = 'switches.json';
/** Rises when an older release could not read what is written (docs/FORMATS.md). */
const FORMAT = 1;

/** What a release before records does not know, and leaves out: it stays paused for longer, if anything. */
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
  /** The node's own, which the database is in as well. */
  directory: string;
  logger: Logger;
  /** The disk failed, so the process must end. Called once the one who asked for the write can be answered. */
  onFatal: (error: Error) => void;
}

/** Keeps the pauses in a file beside the database. */
export class PauseFile implements PauseStore {
  private readonly kept;

  constructor(private readonly options: PauseFileOptions) {
    this.kept = new KeptFile(`${options.directory}/${FILE_NAME}`, schema);
  }

  /**
   * A file that says nothing is taken for a pause: perhaps an operator decided on one. A paused node still votes and
   * keeps the log, so that its cluster misses nothing; one that would not start at all might cost it the quorum.
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

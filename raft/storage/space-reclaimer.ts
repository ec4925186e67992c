/**
 * Keeps the disk bounded. LevelDB keeps deleted entries until it happens to compact their tables. For a log that only moves
 * forward, that may never happen, so the deleted range is compacted whenever enough has been written.
 *
 * One compaction runs at a time, in parallel with writes. When it falls behind by a whole round, writes wait for it.
 */
export class SpaceReclaimer {
  readonly #everyBytes: number;
  readonly #compact: () => Promise<void>;
  #writtenBytes = 0;
  #deleted = false;
  #running: Promise<void> | undefined;

  constructor({ everyBytes, compact }: { everyBytes: number; compact: () => Promise<void> }) {
    this.#everyBytes = everyBytes;
    this.#compact = compact;
  }

  /** Resolves when the next write may start. Rejects if the compaction that it waited for failed. */
  async admit(): Promise<void> {
    if (this.#writtenBytes >= this.#everyBytes) await this.#running;
  }

  /** @param deleted whether that write deleted something that a compaction can free */
  wrote(bytes: number, deleted: boolean): void {
    this.#writtenBytes += bytes;
    this.#deleted ||= deleted;
    if (this.#writtenBytes < this.#everyBytes || !this.#deleted || this.#running !== undefined) return;
    this.#writtenBytes = 0;
    this.#deleted = false;
    this.#running = this.#compact().finally(() => (this.#running = undefined));
    // Waiting callers see the failure. Without this line, a failure that nobody waits for would end the process.
    this.#running.catch(() => undefined);
  }

  /** Resolves when the last compaction has ended, successfully or not. */
  async idle(): Promise<void> {
    await this.#running?.catch(() => undefined);
  }
}

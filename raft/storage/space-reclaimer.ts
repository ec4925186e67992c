/**
 * Keeps the disk bounded. LevelDB keeps deleted entries until it happens to compact their tables, which for a log
 * that only moves forward can be never; so the deleted range is compacted each time that enough was written.
 *
 * One compaction runs at a time, beside the writes. When it falls behind by a whole round, writes wait for it.
 */
export class SpaceReclaimer {
  readonly #compact: () => Promise<void>;
  readonly #everyBytes: number;
  #unreclaimedBytes: number;
  #running: Promise<void> | undefined;

  /**
   * @param garbageBytes what is on disk already and not needed
   */
  constructor(options: { everyBytes: number; garbageBytes: number; compact: () => Promise<void> }) {
    this.#compact = options.compact;
    this.#everyBytes = options.everyBytes;
    this.#unreclaimedBytes = options.garbageBytes;
  }

  /** Resolves when the next write may start. Rejects when a compaction failed. */
  async admit(): Promise<void> {
    if (this.#unreclaimedBytes >= this.#everyBytes) await this.#running;
  }

  /** @param deleted whether something was deleted that a compaction could free */
  wrote(bytes: number): void {
    this.#unreclaimedBytes += bytes;
    if (this.#unreclaimedBytes < this.#everyBytes || this.#running !== undefined) return;
    this.#unreclaimedBytes = 0;
    this.#running = this.#compact().finally(() => (this.#running = undefined));
    // Its failure surfaces in admit() or idle().
    this.#running.catch(() => undefined);
  }

  /** Resolves when no compaction runs. */
  async idle(): Promise<void> {
    await this.#running;
  }
}

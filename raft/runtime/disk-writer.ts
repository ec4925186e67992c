import type { Persist } from '../core/outputs.js';
import { StorageError } from '../storage/errors.js';
import type { Storage } from '../storage/storage.js';
import { WriteWatch } from './write-watch.js';

const WRITE_LIMIT_MS = 30_000;

export interface DiskWriterOptions {
  storage: Pick<Storage, 'write'>;
  /** A write that takes longer is a failure of the disk. 30 s by default. */
  limitMs: number | undefined;
  onStored(seq: number, durationMs: number): void;
  /** The disk failed. Its content is unknown. */
  onFailed(error: Error): void;
}

/** Carries the core's writes to the disk. */
export class DiskWriter {
  private readonly watch: WriteWatch;
  private ended = false;
  private beganMs: number | undefined;

  constructor(private readonly options: DiskWriterOptions) {
    const { limitMs = WRITE_LIMIT_MS } = options;
    this.watch = new WriteWatch(limitMs, () =>
      options.onFailed(new StorageError('hung', `A write has not finished for ${limitMs} ms`, { limitMs })),
    );
  }

  /**
   * A leader's messages leave on the next turn of the event loop. Its own write begins with a copy, so it comes after them.
   *
   * @param clusterId the cluster that the write founds, if any
   */
  persist(order: Persist, isLeader: boolean, clusterId: string | undefined): void {
    if (isLeader) setImmediate(() => this.write(order, clusterId));
    else this.write(order, clusterId);
  }

  /** How long the current write has been running; 0 without one. */
  get writingForMs(): number {
    return this.beganMs === undefined ? 0 : performance.now() - this.beganMs;
  }

  /** Begins no more writes and waits for none. */
  end(): void {
    this.ended = true;
    this.watch.end();
  }

  private write(order: Persist, clusterId: string | undefined): void {
    if (this.ended) return;
    const startedMs = performance.now();
    this.beganMs = startedMs;
    this.watch.begin();
    this.options.storage.write(order, clusterId).then(
      () => {
        this.watch.end();
        this.beganMs = undefined;
        this.options.onStored(order.seq, performance.now() - startedMs);
      },
      (error: Error) => this.options.onFailed(error),
    );
  }
}

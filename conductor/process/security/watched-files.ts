import { readFile } from 'node:fs/promises';
import { sleep } from '../../time/sleep.js';

interface WatchedFilesOptions<T> {
  paths: readonly string[];
  /** Makes the value from the content of the files, in the order of `paths`. If it throws, the old value stays. */
  read: (contents: readonly Buffer[]) => T;
  /** A new value is in use. */
  onChange: (value: T) => void;
  /** The files changed and cannot be used, or cannot be read. Reported once for each different text. */
  onTrouble: (error: Error) => void;
  intervalMs?: number;
}

const INTERVAL_MS = 1000;
/** A hung file system must not let reads pile up. */
const READ_TIMEOUT_MS = 10_000;

/**
 * Files whose content is in use and is replaced when they change. The content is compared at intervals, because the
 * system's notifications miss how Kubernetes changes a mounted secret: by a link to the folder, not by a file.
 */
export class WatchedFiles<T> {
  private contents: readonly Buffer[] = [];
  private used: T | undefined;
  private trouble = '';

  constructor(private readonly options: WatchedFilesOptions<T>) {}

  /** The latest content that could be used. Valid after `open`. */
  get value(): T {
    return this.used as T;
  }

  /** Reads the files for the first time. @throws the error from reading them */
  async open(): Promise<T> {
    const contents = await this.readAll();
    this.used = this.options.read(contents);
    this.contents = contents;
    return this.used;
  }

  /** Looks at the files until the signal fires. */
  async watch(signal: AbortSignal): Promise<void> {
    const { intervalMs = INTERVAL_MS } = this.options;
    while (!signal.aborted) {
      await sleep(intervalMs, signal).catch(() => undefined);
      if (!signal.aborted) await this.look();
    }
  }

  private async look(): Promise<void> {
    try {
      const contents = await this.readAll();
      const isSame = contents.every((content, index) => this.contents[index]?.equals(content));
      if (!isSame) {
        const value = this.options.read(contents);
        this.contents = contents;
        this.used = value;
        this.options.onChange(value);
      }
      this.trouble = '';
    } catch (error) {
      const { message } = error as Error;
      // Some tools replace a file in two steps: each such error is reported once.
      if (message !== this.trouble) this.options.onTrouble(error as Error);
      this.trouble = message;
    }
  }

  private readAll(): Promise<Buffer[]> {
    const signal = AbortSignal.timeout(READ_TIMEOUT_MS);
    return Promise.all(this.options.paths.map((path) => readFile(path, { signal })));
  }
}

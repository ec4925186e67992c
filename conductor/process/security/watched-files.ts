import { readFile } from 'node:fs/promises';
import { sleep } from '../../time/sleep.js';

interface WatchedFilesOptions<T> {
  paths: readonly string[];
  /** Makes the value of what is in the files, in the order of `paths`. What it throws leaves the old value in use. */
  read: (contents: readonly Buffer[]) => T;
  /** A new value is in use. */
  onChange: (value: T) => void;
  /** The files changed to something that cannot be used, or cannot be read. Told once for each different text. */
  onTrouble: (error: Error) => void;
  intervalMs?: number;
}

const INTERVAL_MS = 1000;
/** A file system that hangs must not let reads pile up. */
const READ_TIMEOUT_MS = 10_000;

/**
 * Files whose content is in use, and is replaced when they change. Their content is compared, again and again: the system's
 * notifications miss what Kubernetes does with a mounted secret, where a link to the folder changes and no file.
 */
export class WatchedFiles<T> {
  private contents: readonly Buffer[] = [];
  private used: T | undefined;
  private trouble = '';

  constructor(private readonly options: WatchedFilesOptions<T>) {}

  /** What the files say, as far as it could be used. To be asked after `open`. */
  get value(): T {
    return this.used as T;
  }

  /** Reads the files for the first time. @throws what reading them throws */
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
      // A file is replaced in two steps by some: what is wrong only now and then is told once a time.
      if (message !== this.trouble) this.options.onTrouble(error as Error);
      this.trouble = message;
    }
  }

  private readAll(): Promise<Buffer[]> {
    const signal = AbortSignal.timeout(READ_TIMEOUT_MS);
    return Promise.all(this.options.paths.map((path) => readFile(path, { signal })));
  }
}

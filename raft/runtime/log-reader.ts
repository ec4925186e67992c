import type { Entry, LoadedEntry } from '../core/entries.js';
import type { Storage } from '../storage/storage.js';

/** The log with its data: young entries from memory, older ones from disk. */
export class LogReader {
  constructor(
    private readonly entry: (index: number) => Readonly<Entry> | undefined,
    private readonly storage: Pick<Storage, 'readEntries'>,
  ) {}

  /**
   * Entries from `from` on that are in memory: at most `maxBytes` of data but at least one; none if the first is not
   * there.
   */
  inMemory(from: number, to: number, maxBytes: number): LoadedEntry[] {
    const entries: LoadedEntry[] = [];
    let bytes = 0;
    for (let index = from; index <= to; index++) {
      const entry = this.entry(index);
      if (!entry?.data) break;
      bytes += entry.byteLength;
      if (entries.length > 0 && bytes > maxBytes) break;
      entries.push({ ...entry, data: entry.data });
    }
    return entries;
  }

  /** At least one entry from `from` on; fewer than asked for when `maxBytes` is reached or others are in memory. */
  async read(from: number, to: number, maxBytes: number): Promise<LoadedEntry[]> {
    const entries = this.inMemory(from, to, maxBytes);
    if (entries.length > 0) return entries;
    // What is in memory may not be on disk yet.
    let last = from;
    while (last < to && this.entry(last + 1)?.data === undefined) last += 1;
    return this.storage.readEntries(from, last, maxBytes);
  }
}

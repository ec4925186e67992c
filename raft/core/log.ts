import { chainHash, EMPTY_CHAIN_HASH } from './chain-hash.js';
import type { Entry, EntryHeader } from './entries.js';
import { invariant } from './invariant.js';
import type { SnapshotMeta } from './stored-state.js';

/**
 * The log in memory: headers of everything after the snapshot, and as much data as fits the cache.
 *
 *   snapshot │ first … applied … commit … last
 */
export class RaftLog {
  private entries: Entry[];
  private bytes = 0;
  private cachedBytes = 0;
  /** Everything below has been evicted. */
  private evictedTo: number;

  constructor(
    private base: { index: number; term: number; chainHash: number },
    headers: readonly EntryHeader[],
  ) {
    this.entries = headers.map((header) => entryOf(header, undefined));
    for (const entry of this.entries) this.bytes += entry.byteLength;
    this.evictedTo = this.lastIndex;
  }

  static fromSnapshot(snapshot: SnapshotMeta | null, headers: readonly EntryHeader[]): RaftLog {
    return new RaftLog(snapshot ?? { index: 0, term: 0, chainHash: EMPTY_CHAIN_HASH }, headers);
  }

  get snapshotIndex(): number {
    return this.base.index;
  }
  get lastIndex(): number {
    return this.base.index + this.entries.length;
  }
  get lastTerm(): number {
    return this.entries.at(-1)?.term ?? this.base.term;
  }
  get lastHash(): number {
    return this.entries.at(-1)?.chainHash ?? this.base.chainHash;
  }
  /** Bytes of data of all entries in the log, in memory or not. */
  get totalBytes(): number {
    return this.bytes;
  }
  get length(): number {
    return this.entries.length;
  }

  /** The entry at `index`; undefined when it is in the snapshot or beyond the end. */
  get(index: number): Entry | undefined {
    return this.entries[index - this.base.index - 1];
  }

  /** Term at `index`; undefined when the log cannot tell. */
  termAt(index: number): number | undefined {
    return index === this.base.index ? this.base.term : this.get(index)?.term;
  }

  hashAt(index: number): number | undefined {
    return index === this.base.index ? this.base.chainHash : this.get(index)?.chainHash;
  }

  /** First index that has the same term as `index`, within this log. */
  firstIndexOfTermAt(index: number): number {
    const term = this.termAt(index);
    let first = index;
    while (first - 1 > this.base.index && this.termAt(first - 1) === term) first -= 1;
    return first;
  }

  /** Last index whose term is at most `term`; the snapshot's index if there is none. */
  lastIndexWithTermAtMost(term: number, from: number): number {
    let index = Math.min(from, this.lastIndex);
    while (index > this.base.index && (this.termAt(index) as number) > term) index -= 1;
    return index;
  }

  /** Raft's "up-to-date" (Raft thesis §3.6.1): term first, then length. */
  isNoNewerThan(lastTerm: number, lastIndex: number): boolean {
    return lastTerm > this.lastTerm || (lastTerm === this.lastTerm && lastIndex >= this.lastIndex);
  }

  /** Entries from `from` on, with at most `maxBytes` of data, but at least one entry. */
  slice(from: number, maxBytes: number): Entry[] {
    const result: Entry[] = [];
    let bytes = 0;
    for (let index = from; index <= this.lastIndex; index++) {
      const entry = this.get(index) as Entry;
      if (result.length > 0 && bytes + entry.byteLength > maxBytes) break;
      bytes += entry.byteLength;
      result.push(entry);
    }
    return result;
  }

  append(entry: Entry): void {
    invariant(entry.index === this.lastIndex + 1, () => `append of ${entry.index} after ${this.lastIndex}`);
    invariant(entry.term >= this.lastTerm, () => `term ${entry.term} after ${this.lastTerm}`);
    invariant(
      entry.chainHash === chainHash(this.lastHash, entry),
      () => `chain hash of entry ${entry.index} does not follow from entry ${this.lastIndex}`,
    );
    this.entries.push(entryOf(entry, entry.data));
    this.bytes += entry.byteLength;
    if (entry.data) this.cachedBytes += entry.byteLength;
  }

  truncateFrom(index: number): void {
    for (const entry of this.entries.splice(index - this.base.index - 1)) this.forget(entry);
    this.evictedTo = Math.min(this.evictedTo, this.lastIndex);
  }

  compactTo(base: { index: number; term: number; chainHash: number }): void {
    for (const entry of this.entries.splice(0, base.index - this.base.index)) this.forget(entry);
    this.base = base;
    this.evictedTo = Math.max(this.evictedTo, base.index);
  }

  reset(base: { index: number; term: number; chainHash: number }): void {
    this.entries = [];
    this.bytes = 0;
    this.cachedBytes = 0;
    this.base = base;
    this.evictedTo = base.index;
  }

  /** Drops data from memory, oldest first, until the rest fits the cache; never beyond `upTo`. */
  evict(cacheBytesMax: number, upTo: number): void {
    while (this.cachedBytes > cacheBytesMax && this.evictedTo < upTo) {
      this.evictedTo += 1;
      const entry = this.get(this.evictedTo);
      if (entry?.data) {
        this.cachedBytes -= entry.byteLength;
        entry.data = undefined;
      }
    }
  }

  private forget(entry: Entry): void {
    this.bytes -= entry.byteLength;
    if (entry.data) this.cachedBytes -= entry.byteLength;
  }
}

/** A copy: if all entries have the same object shape, the log's look-ups stay fast. */
export function entryOf(
  { index, term, kind, byteLength, crc, chainHash }: EntryHeader,
  data: Uint8Array | undefined,
): Entry {
  return { index, term, kind, byteLength, crc, chainHash, data };
}

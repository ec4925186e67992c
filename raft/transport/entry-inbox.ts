import { crc32 } from 'node:zlib';
import type { Entry } from '../core/entries.js';
import type { AppendRequest } from '../core/messages.js';
import { FrameError } from './errors.js';
import type { EntryChunkRequest, EntryId } from './wire-message.js';

export interface EntryInboxOptions {
  /** All entries together. */
  bytesMax: number;
  entriesMax: number;
  /** Monotonic clock, ms. */
  now: () => number;
}

interface Arriving {
  data: Buffer;
  received: number;
  /** Of the bytes that are there. */
  crc: number;
  touchedMs: number;
}

/** An entry that got no piece for this long is no longer wanted. */
const STALE_MS = 60_000;

/**
 * Large entries that arrive piece by piece, before their append. The pieces stay when a connection breaks, and for the
 * next leader: equal ids mean equal bytes. The longest waiting entry is dropped first.
 */
export class EntryInbox {
  /** The last one touched comes last. */
  private readonly arriving = new Map<string, Arriving>();
  private term = 0;

  constructor(private readonly options: EntryInboxOptions) {}

  /** This term has a leader: pieces from an earlier one are refused. */
  noteTerm(term: number): void {
    this.term = Math.max(this.term, term);
  }

  /** @returns how much of the entry is there; null when its sender no longer leads. @throws FrameError */
  keep({ term, entry, offset, data }: EntryChunkRequest): number | null {
    if (term < this.term) return null;
    this.noteTerm(term);
    const { bytesMax, now } = this.options;
    if (entry.byteLength > bytesMax) {
      throw new FrameError('too-large', `an entry of ${entry.byteLength} bytes, the limit is ${bytesMax}`);
    }
    const arriving = this.touch(entry, now());
    const skipped = arriving.received - offset;
    if (skipped >= 0 && skipped < data.length && offset + data.length <= entry.byteLength) {
      const added = data.subarray(skipped);
      arriving.data.set(added, arriving.received);
      arriving.received += added.length;
      arriving.crc = crc32(added, arriving.crc);
    }
    if (arriving.received === entry.byteLength && arriving.crc !== entry.crc) {
      this.arriving.delete(keyOf(entry));
      throw new FrameError('bad-crc', `the CRC of entry ${entry.index} is wrong`);
    }
    return arriving.received;
  }

  /** The append with the data that came before it; undefined when some are missing. */
  complete(append: AppendRequest): AppendRequest | undefined {
    const entries: Entry[] = [];
    for (const entry of append.entries) {
      const data = entry.data ?? this.dataOf(entry);
      if (!data) return undefined;
      entries.push({ ...entry, data });
    }
    return { ...append, entries };
  }

  /** The entries of this append are in the log. */
  release({ entries }: AppendRequest): void {
    for (const entry of entries) this.arriving.delete(keyOf(entry));
  }

  dropStale(): void {
    const now = this.options.now();
    for (const [key, { touchedMs }] of this.arriving) {
      if (now - touchedMs >= STALE_MS) this.arriving.delete(key);
    }
  }

  /** Bytes held for entries. */
  get heldBytes(): number {
    return [...this.arriving.values()].reduce((sum, { data }) => sum + data.length, 0);
  }

  private dataOf(entry: EntryId): Uint8Array | undefined {
    const arriving = this.arriving.get(keyOf(entry));
    return arriving?.received === entry.byteLength ? arriving.data : undefined;
  }

  private touch(entry: EntryId, touchedMs: number): Arriving {
    const key = keyOf(entry);
    const arriving = this.arriving.get(key) ?? {
      data: Buffer.allocUnsafeSlow(entry.byteLength),
      received: 0,
      crc: 0,
      touchedMs,
    };
    arriving.touchedMs = touchedMs;
    this.arriving.delete(key);
    this.arriving.set(key, arriving);
    const { entriesMax, bytesMax } = this.options;
    while (this.arriving.size > entriesMax || this.heldBytes > bytesMax) {
      const [oldest] = this.arriving.keys();
      this.arriving.delete(oldest as string);
    }
    return arriving;
  }
}

const keyOf = ({ term, index, chainHash, byteLength, crc }: EntryId): string =>
  [term, index, chainHash, byteLength, crc].join(' ');

import type { EntryHeader, LoadedEntry } from '../../core/entries.js';
import type { Persist } from '../../core/outputs.js';
import type { HardState, Snapshot } from '../../core/stored-state.js';
import { Prng } from '../../testing/prng.js';
import type { LogPosition } from '../manifest.js';
import { ORIGIN, positionOf } from '../manifest.js';
import type { Storage } from '../storage.js';
import { entriesAfter, persist, snapshotAt } from './test-log.js';

/** Everything that a disk holds. */
export interface DiskContent {
  hardState: HardState;
  snapshot: Snapshot | null;
  entries: LoadedEntry[];
}

const EMPTY: DiskContent = {
  hardState: { term: 0, votedFor: null, commit: 0 },
  snapshot: null,
  entries: [],
};

/** The in-memory model: what a disk holds after one more write. */
function after(content: DiskContent, { hardState, truncateFrom, entries, ...order }: Persist): DiskContent {
  const snapshot = order.snapshot ?? content.snapshot;
  const kept = order.resetLog
    ? []
    : content.entries.filter(({ index }) => index < (truncateFrom ?? Infinity));
  return {
    hardState,
    snapshot,
    entries: [...kept, ...entries].filter(({ index }) => index > (snapshot?.index ?? 0)),
  };
}

/**
 * An endless, valid sequence of writes drawn from a seed, with the disk's content after each. Write k is the same in every
 * process, so that a parent can check what its child wrote.
 */
export class RandomHistory {
  readonly #prng: Prng;
  readonly #entryBytesMax: number;
  readonly #orders: Persist[] = [];
  readonly #contents: DiskContent[] = [EMPTY];

  constructor(seed: number, entryBytesMax = 3000) {
    this.#prng = new Prng(seed);
    this.#entryBytesMax = entryBytesMax;
  }

  /** The write that takes the disk from content `seq - 1` to content `seq`. */
  order(seq: number): Persist {
    while (this.#orders.length < seq) this.#extend();
    return this.#orders[seq - 1] as Persist;
  }

  /** What a disk holds after `seq` writes. */
  content(seq: number): DiskContent {
    if (seq > 0) this.order(seq);
    return this.#contents[seq] as DiskContent;
  }

  #extend(): void {
    const content = this.#contents.at(-1) as DiskContent;
    const order = this.#draw(this.#contents.length, content);
    this.#orders.push(order);
    this.#contents.push(after(content, order));
  }

  #draw(seq: number, { hardState, snapshot, entries }: DiskContent): Persist {
    const prng = this.#prng;
    const term = hardState.term + (prng.chance(0.3) ? 1 : 0);
    const votedFor = prng.pick([null, 'n1', 'n2'] as const);
    const base = snapshot === null ? ORIGIN : positionOf(snapshot);
    const order = persist({ seq, hardState: { term: term || 1, votedFor, commit: base.index } });
    const what = prng.pick([
      'append',
      'append',
      'append',
      'append',
      'truncate',
      'compact',
      'vote',
      'reset',
    ] as const);
    switch (what) {
      case 'truncate': {
        const kept = prng.int(Math.max(0, entries.length - 5), entries.length);
        const last = kept === 0 ? base : positionOf(entries[kept - 1] as LoadedEntry);
        return { ...order, truncateFrom: last.index + 1, entries: this.#entries(last, order.hardState.term) };
      }
      case 'compact': {
        if (entries.length < 4) break;
        const at = entries[prng.int(0, entries.length - 2)] as LoadedEntry;
        return { ...order, snapshot: snapshotAt(at, this.#bytes()) };
      }
      case 'vote':
        return order;
      case 'reset': {
        if (prng.chance(0.7)) break;
        const index = (entries.at(-1)?.index ?? base.index) + prng.int(1, 30);
        const received = snapshotAt({ index, term: order.hardState.term, chainHash: seq }, this.#bytes());
        return { ...order, snapshot: received, resetLog: true };
      }
    }
    const last = entries.at(-1);
    return { ...order, entries: this.#entries(last ? positionOf(last) : base, order.hardState.term) };
  }

  #entries(before: LogPosition, term: number): LoadedEntry[] {
    return entriesAfter(
      before,
      term,
      Array.from({ length: this.#prng.int(1, 3) }, () => this.#bytes()),
    );
  }

  /** Sometimes empty: a snapshot of an empty state is valid, and so is an empty command. */
  #bytes(): Buffer {
    const length = this.#prng.chance(0.1) ? 0 : this.#prng.int(1, this.#entryBytesMax);
    return Buffer.alloc(length, Buffer.from(`${this.#prng.int(0, 0xffff_ffff).toString(16)}.`));
  }
}

/** Reads everything back, as a node at start and its peers later would. @throws StorageError */
export async function contentOf(storage: Storage, nodeId: string): Promise<DiskContent> {
  const { state } = await storage.open(nodeId);
  const snapshot = await storage.readSnapshot();
  const [first, last] = [state.headers[0], state.headers.at(-1)];
  const entries = first && last ? await storage.readEntries(first.index, last.index, Infinity) : [];
  const headers = entries.map(({ data: _, ...header }): EntryHeader => header);
  if (JSON.stringify(headers) !== JSON.stringify(state.headers))
    throw new Error('headers and entries differ');
  if (state.snapshot?.index !== snapshot?.index) throw new Error('state and snapshot differ');
  return { hardState: state.hardState, snapshot, entries };
}

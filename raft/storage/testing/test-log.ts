import { crc32 } from 'node:zlib';
import { chainHash } from '../../core/chain-hash.js';
import type { EntryKind, LoadedEntry } from '../../core/entries.js';
import type { Persist } from '../../core/outputs.js';
import type { Snapshot } from '../../core/stored-state.js';
import type { LogPosition } from '../manifest.js';
import { ORIGIN, positionOf } from '../manifest.js';

/** For tests: an entry that follows the position `before`. */
export function entryAfter(
  before: LogPosition,
  term: number,
  data: string | Uint8Array,
  kind: EntryKind = 'command',
): LoadedEntry {
  const bytes = Buffer.from(data);
  const header = { index: before.index + 1, term, kind, byteLength: bytes.length, crc: crc32(bytes) };
  return { ...header, chainHash: chainHash(before.chainHash, header), data: bytes };
}

/** For tests: entries that follow the position `before`, one for each datum. */
export function entriesAfter(
  before: LogPosition,
  term: number,
  data: readonly (string | Uint8Array)[],
): LoadedEntry[] {
  let position = before;
  return data.map((datum) => {
    const entry = entryAfter(position, term, datum);
    position = positionOf(entry);
    return entry;
  });
}

/** For tests: the first entries of a log. */
export const firstEntries = (...data: string[]): LoadedEntry[] => entriesAfter(ORIGIN, 1, data);

/** For tests: a snapshot of the log up to `position`. */
export function snapshotAt(position: LogPosition, data: string | Uint8Array): Snapshot {
  const members = [{ id: 'n1', address: '127.0.0.1:5050', incarnation: '00'.repeat(16), voter: true }];
  const configuration = { index: Math.min(1, position.index), configuration: { members } };
  return { ...positionOf(position), configuration, data: Buffer.from(data) };
}

/** For tests: a write with only the changes in `change`. */
export function persist(change: Partial<Persist>): Persist {
  return {
    type: 'persist',
    seq: 1,
    hardState: { term: 1, votedFor: null, commit: 0 },
    truncateFrom: undefined,
    entries: [],
    snapshot: undefined,
    resetLog: false,
    ...change,
  };
}

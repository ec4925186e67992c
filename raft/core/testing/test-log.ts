import { chainHash } from '../chain-hash.js';
import { encodeConfiguration, type Configuration, type Member, type NodeId } from '../configuration.js';
import { crc32 } from '../crc32.js';
import type { EntryKind, LoadedEntry } from '../entries.js';
import type { AppendRequest } from '../messages.js';
import type { RestoredState, SnapshotMeta } from '../stored-state.js';

export const member = (id: NodeId, voter = true): Member => ({
  id,
  address: `${id}:1`,
  incarnation: `disk of ${id}`,
  voter,
});

export const configurationOf = (
  voters: readonly NodeId[],
  others: readonly NodeId[] = [],
): Configuration => ({
  members: [...voters.map((id) => member(id)), ...others.map((id) => member(id, false))],
});

/** A log for tests: entry 1 is a configuration, the others are commands of the given terms. */
export class TestLog {
  readonly entries: LoadedEntry[] = [];
  readonly configuration: Configuration;

  constructor(configuration: Configuration, terms: readonly number[] = []) {
    this.configuration = configuration;
    this.add(1, 'config', encodeConfiguration(configuration));
    for (const term of terms) this.add(term);
  }

  get lastIndex(): number {
    return this.entries.length;
  }

  add(
    term: number,
    kind: EntryKind = 'command',
    data: Uint8Array = new TextEncoder().encode(`#${this.lastIndex}`),
  ): this {
    const index = this.lastIndex + 1;
    const header = { index, term, kind, byteLength: data.length, crc: crc32(data) };
    const previous = this.entries.at(-1)?.chainHash ?? 0;
    this.entries.push({ ...header, chainHash: chainHash(previous, header), data });
    return this;
  }

  addConfiguration(term: number, configuration: Configuration): this {
    return this.add(term, 'config', encodeConfiguration(configuration));
  }

  at(index: number): LoadedEntry {
    return this.entries[index - 1] as LoadedEntry;
  }

  /** What a disk with this log holds. */
  restored(hardState: Partial<RestoredState['hardState']> = {}): RestoredState {
    return {
      hardState: { term: this.entries.at(-1)?.term ?? 1, votedFor: null, commit: 0, ...hardState },
      snapshot: null,
      headers: this.entries,
      configurations: [{ index: 1, configuration: this.configuration }],
    };
  }

  /** What a leader of `term` with this log sends after `prevIndex`. */
  append(term: number, prevIndex: number, to = this.lastIndex, commit = 0): AppendRequest {
    const previous = prevIndex > 0 ? this.at(prevIndex) : { term: 0, chainHash: 0 };
    return {
      type: 'append',
      term,
      requestId: 1000 + to,
      prevIndex,
      prevTerm: previous.term,
      prevHash: previous.chainHash,
      commit,
      entries: this.entries.slice(prevIndex, to),
    };
  }

  snapshotAt(index: number): SnapshotMeta {
    const { term, chainHash: hash } = this.at(index);
    return {
      index,
      term,
      chainHash: hash,
      configuration: { index: 1, configuration: this.configuration },
    };
  }
}

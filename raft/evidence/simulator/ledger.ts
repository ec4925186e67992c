import { EMPTY_CHAIN_HASH } from '../../core/chain-hash.js';
import type { Member } from '../../core/configuration.js';
import type { EntryKind } from '../../core/entries.js';
import { applyToHash, EMPTY_STATE_HASH } from './state-machine.js';

/** A voter and the disk of its acknowledgements. */
export type Voter = Pick<Member, 'id' | 'incarnation'>;

export interface LedgerEntry {
  index: number;
  term: number;
  kind: EntryKind;
  chainHash: number;
  data: Uint8Array;
  /** Term of the leader that committed it: the entry's or a later one. */
  committedInTerm: number;
  /** Sets of voters of the configuration that was in force when it was committed. */
  quorums: readonly (readonly Voter[])[];
  /** The application's state after this entry. */
  stateHash: number;
  /** Index of the newest configuration up to here. */
  configurationIndex: number;
}

/** The simulator's own record of what is committed. No node ever sees it. */
export class Ledger {
  private readonly entries: LedgerEntry[] = [
    {
      index: 0,
      term: 0,
      kind: 'noop',
      chainHash: EMPTY_CHAIN_HASH,
      data: new Uint8Array(0),
      committedInTerm: 0,
      quorums: [],
      stateHash: EMPTY_STATE_HASH,
      configurationIndex: 0,
    },
  ];

  get lastIndex(): number {
    return this.entries.length - 1;
  }

  get last(): LedgerEntry {
    return this.entries.at(-1) as LedgerEntry;
  }

  at(index: number): LedgerEntry | undefined {
    return this.entries[index];
  }

  append(entry: Omit<LedgerEntry, 'stateHash' | 'configurationIndex'>): void {
    const { last } = this;
    const { index, term, kind, chainHash, data, committedInTerm, quorums } = entry;
    this.entries.push({
      index,
      term,
      kind,
      chainHash,
      data,
      committedInTerm,
      quorums,
      stateHash: applyToHash(last.stateHash, entry.index, entry.data),
      configurationIndex: entry.kind === 'config' ? entry.index : last.configurationIndex,
    });
  }
}

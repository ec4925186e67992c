import { afterChange, NO_MAINTENANCE, type Maintenance } from './maintenance.js';
import type { ClusterRecord } from './record.js';

/** A record that is kept, and where it is in the log. */
export interface JournalEntry {
  logIndex: number;
  record: ClusterRecord;
}

/** Everything that records have made, as a snapshot carries it. */
export interface RecordsState {
  journal: readonly JournalEntry[];
  maintenance: Maintenance;
}

/** What became of a record: one that was there already changes nothing a second time. */
export interface RecordVerdict {
  type: 'recorded';
  isRepeated: boolean;
}

/** The journal keeps so many records, and no more than this many bytes of JSON. */
export const JOURNAL_ENTRIES_MAX = 256;
export const JOURNAL_BYTES_MAX = 128 * 1024;

/**
 * The records of the log: what operators decided, and a journal of the newest records. A pure reducer, run by every node
 * over the same log: two nodes that applied the same index have the same state, whatever their clocks say.
 */
export class ClusterRecords {
  private entries: { entry: JournalEntry; bytes: number }[] = [];
  private bytes = 0;
  private decided: Maintenance = NO_MAINTENANCE;

  get maintenance(): Maintenance {
    return this.decided;
  }

  /** The newest records, oldest first. */
  get journal(): readonly JournalEntry[] {
    return this.entries.map(({ entry }) => entry);
  }

  /** No record was ever in the log. */
  get isEmpty(): boolean {
    return this.entries.length === 0;
  }

  has(id: string): boolean {
    return this.entries.some(({ entry }) => entry.record.id === id);
  }

  apply(record: ClusterRecord, logIndex: number): RecordVerdict {
    if (this.has(record.id)) return { type: 'recorded', isRepeated: true };
    this.keep({ logIndex, record });
    const { id, atMs, who, change } = record;
    if (change) {
      this.decided = afterChange(this.decided, change, { id, logIndex, sinceMs: atMs, who });
    }
    return { type: 'recorded', isRepeated: false };
  }

  state(): RecordsState {
    return { journal: this.journal, maintenance: this.decided };
  }

  /** Has this state from now on, and nothing of before. */
  startFrom({ journal, maintenance }: RecordsState): void {
    this.entries = [];
    this.bytes = 0;
    for (const entry of journal) this.keep(entry);
    this.decided = maintenance;
  }

  private keep(entry: JournalEntry): void {
    const bytes = new TextEncoder().encode(JSON.stringify(entry.record)).length;
    this.entries.push({ entry, bytes });
    this.bytes += bytes;
    while (this.entries.length > JOURNAL_ENTRIES_MAX || this.bytes > JOURNAL_BYTES_MAX) {
      this.bytes -= this.entries.shift()?.bytes ?? 0;
    }
  }
}

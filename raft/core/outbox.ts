import type { NodeId } from './configuration.js';
import type { LoadedEntry } from './entries.js';
import type { RaftLog } from './log.js';
import type { Message } from './messages.js';
import type { Persist } from './outputs.js';
import type { HardState, Snapshot } from './stored-state.js';

/** What a message says about this node's disk, and so which write it must wait for. */
export type Needs =
  /** Only the term (and vote) under which it is sent. */
  | 'term'
  /** Everything this node has accepted so far. */
  | 'everything';

interface Held {
  seq: number;
  to: NodeId;
  message: Message;
}

interface Outstanding {
  seq: number;
  /** Last index of the log that this write makes durable. Lowered when the log is cut meanwhile. */
  lastIndex: number;
  hard: boolean;
}

/**
 * Decides what is written and which messages have to wait for it, so that no message ever speaks of a state that
 * a crash could undo (I9). At most one write is outstanding; later changes go into the next one.
 */
export class Outbox {
  private seq = 0;
  private outstanding: Outstanding | undefined;
  private hardDirty = false;
  private truncateFrom: number | undefined;
  private firstUnwritten: number;
  private snapshot: Snapshot | undefined;
  private resetLog = false;
  private held: Held[] = [];
  /** Last index of the log that is durable here. */
  durableIndex: number;

  constructor(private readonly log: RaftLog) {
    this.durableIndex = log.lastIndex;
    this.firstUnwritten = log.lastIndex + 1;
  }

  get isWriting(): boolean {
    return this.outstanding !== undefined;
  }

  hardStateChanged(): void {
    this.hardDirty = true;
  }

  logTruncated(from: number): void {
    this.durableIndex = Math.min(this.durableIndex, from - 1);
    if (this.outstanding) {
      // cover: the log is cut under a write
      // outbox.test.ts "counts nothing as durable that was cut while it was written (ABA)"
      this.outstanding.lastIndex = Math.min(this.outstanding.lastIndex, from - 1);
    }
    if (from < this.firstUnwritten) {
      this.truncateFrom = Math.min(this.truncateFrom ?? from, from);
      this.firstUnwritten = from;
    }
  }

  compacted(snapshot: Snapshot): void {
    this.snapshot = snapshot;
  }

  /** The log was replaced by a snapshot that the leader sent. */
  logReset(snapshot: Snapshot): void {
    this.snapshot = snapshot;
    this.resetLog = true;
    this.truncateFrom = undefined;
    this.firstUnwritten = snapshot.index + 1;
    this.durableIndex = 0;
    if (this.outstanding) {
      // cover: a snapshot replaces the log under a write
      // outbox.test.ts "counts nothing as durable that a snapshot replaced while it was written"
      this.outstanding.lastIndex = 0;
    }
  }

  private get dirty(): boolean {
    return (
      this.hardDirty ||
      this.truncateFrom !== undefined ||
      this.snapshot !== undefined ||
      this.firstUnwritten <= this.log.lastIndex
    );
  }

  /** Sequence number of the write that `needs` waits for; undefined when it is already durable. */
  private seqFor(needs: Needs): number | undefined {
    if (needs === 'everything') return this.dirty ? this.seq + 1 : this.outstanding?.seq;
    if (this.hardDirty) return this.seq + 1;
    return this.outstanding?.hard ? this.outstanding.seq : undefined;
  }

  /** Keeps the message until its write is done. False: it may be sent at once. */
  hold(to: NodeId, message: Message, needs: Needs): boolean {
    const seq = this.seqFor(needs);
    if (seq === undefined) return false;
    this.held.push({ seq, to, message });
    return true;
  }

  /** Drops messages of past terms: they help nobody. */
  dropHeld(): void {
    this.held = [];
  }

  /** The next write, if one is due and none is outstanding. */
  nextWrite(hardState: HardState): Persist | undefined {
    if (this.outstanding || !this.dirty) return undefined;
    const entries: LoadedEntry[] = [];
    for (let index = this.firstUnwritten; index <= this.log.lastIndex; index++) {
      entries.push(this.log.get(index) as LoadedEntry);
    }
    this.seq += 1;
    this.outstanding = { seq: this.seq, lastIndex: this.log.lastIndex, hard: this.hardDirty };
    const persist: Persist = {
      type: 'persist',
      seq: this.seq,
      hardState,
      truncateFrom: this.truncateFrom,
      entries,
      snapshot: this.snapshot,
      resetLog: this.resetLog,
    };
    this.hardDirty = false;
    this.truncateFrom = undefined;
    this.snapshot = undefined;
    this.resetLog = false;
    this.firstUnwritten = this.log.lastIndex + 1;
    return persist;
  }

  /** The write is durable: returns the messages that waited for it. */
  stored(seq: number): Held[] {
    if (this.outstanding?.seq !== seq) return [];
    this.durableIndex = Math.max(this.durableIndex, this.outstanding.lastIndex);
    this.outstanding = undefined;
    const released = this.held.filter((held) => held.seq <= seq);
    this.held = this.held.filter((held) => held.seq > seq);
    return released;
  }
}

import type { LoadedEntry } from '../core/entries.js';
import type { Snapshot } from '../core/stored-state.js';
import type { LogReader } from './log-reader.js';
import type { StateMachine } from './state-machine.js';

/** Entries that a restart reads at once. */
const READ_BYTES = 4 * 1024 * 1024;

/** Receives the result of a committed entry; undefined when this node will never know it. */
export type OnResult<Result> = (applied: { result: Result } | undefined) => void;

/** Gives the state machine what is committed, in order and only once. */
export class Applier<Result> {
  appliedIndex = 0;
  /** Incremented when a snapshot replaces state and log, so that a concurrent read from disk is dropped. */
  version = 0;
  private commitIndex = 0;
  private applying = false;
  private ended = false;
  private readonly awaited = new Map<number, OnResult<Result>>();
  private waiters: { index: number; wake: () => void }[] = [];

  constructor(
    private readonly machine: StateMachine<Result>,
    private readonly log: Pick<LogReader, 'inMemory' | 'read'>,
  ) {}

  /**
   * Applies up to `commitIndex`, at once if the entries are in memory, as on a node that keeps up. False when an earlier
   * call is still running and will apply these, too.
   */
  async advance(commitIndex: number): Promise<boolean> {
    this.commitIndex = Math.max(this.commitIndex, commitIndex);
    if (this.applying) return false;
    this.applying = true;
    try {
      while (this.appliedIndex < this.commitIndex && !this.ended) {
        const { version } = this;
        const from = this.appliedIndex + 1;
        const young = this.log.inMemory(from, this.commitIndex, Infinity);
        const entries = young.length > 0 ? young : await this.read(from, version);
        if (version !== this.version || this.ended) continue;
        for (const entry of entries) this.apply(entry);
      }
    } finally {
      this.applying = false;
    }
    this.wake();
    return true;
  }

  restore(snapshot: Snapshot): void {
    this.version += 1;
    this.machine.restore(snapshot);
    this.appliedIndex = snapshot.index;
    for (const [index, onResult] of this.awaited) {
      if (index > snapshot.index) continue;
      this.awaited.delete(index);
      onResult(undefined);
    }
    this.wake();
  }

  /** `onResult` will hear of the committed entry `index`, which must not be applied yet. */
  awaitResult(index: number, onResult: OnResult<Result>): void {
    this.awaited.set(index, onResult);
  }

  whenApplied(index: number): Promise<void> {
    if (this.appliedIndex >= index || this.ended) return Promise.resolve();
    return new Promise((wake) => this.waiters.push({ index, wake }));
  }

  /** Stops applying and wakes all waiting callers. */
  end(): void {
    this.ended = true;
    for (const onResult of this.awaited.values()) onResult(undefined);
    for (const { wake } of this.waiters) wake();
    this.awaited.clear();
    this.waiters = [];
  }

  /** Undefined when a snapshot replaced the log during the read. */
  private async read(from: number, version: number): Promise<LoadedEntry[]> {
    try {
      return await this.log.read(from, this.commitIndex, READ_BYTES);
    } catch (error) {
      if (version !== this.version) return [];
      throw error;
    }
  }

  private apply(entry: LoadedEntry): void {
    if (entry.kind === 'command') {
      const result = this.machine.apply(entry);
      this.awaited.get(entry.index)?.({ result });
      this.awaited.delete(entry.index);
    }
    this.appliedIndex = entry.index;
  }

  private wake(): void {
    const ready = this.waiters.filter(({ index }) => index <= this.appliedIndex);
    this.waiters = this.waiters.filter(({ index }) => index > this.appliedIndex);
    for (const { wake } of ready) wake();
  }
}

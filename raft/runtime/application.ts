import { performance } from 'node:perf_hooks';
import { crc32 } from 'node:zlib';
import type { LoadedEntry } from '../core/entries.js';
import type { RaftCore } from '../core/raft-core.js';
import type { Snapshot } from '../core/stored-state.js';
import type { Storage } from '../storage/storage.js';
import { Applier } from './applier.js';
import { Compactor, type Retention } from './compaction.js';
import { STOPPED, type CorePump } from './core-pump.js';
import { LogReader } from './log-reader.js';
import type { Outcome } from './node-options.js';
import type { StateMachine } from './state-machine.js';

export interface ApplicationOptions<Result> {
  stateMachine: StateMachine<Result>;
  storage: Pick<Storage, 'readEntries'>;
  retention: Retention;
  core: () => Pick<RaftCore, 'entry' | 'logExtent'>;
  pump: Pick<CorePump, 'ask' | 'deliver' | 'isRunning' | 'submit'>;
  /** Entries were applied up to this index. */
  onApplied: (index: number) => void;
  /** A command of this node has been committed and applied. */
  onProposed: (took: { replicateMs: number; applyMs: number }) => void;
  /** The state machine or the disk failed. */
  onError: (error: Error) => void;
}

/** Applies committed entries to the state machine, and lets its snapshots replace the beginning of the log. */
export class Application<Result> {
  private readonly log: LogReader;
  private readonly applier: Applier<Result>;
  private readonly compactor: Compactor;
  private commitIndex = 0;
  private ended = false;

  constructor(private readonly options: ApplicationOptions<Result>) {
    const { stateMachine, storage, retention, core, pump } = options;
    this.log = new LogReader((index) => core().entry(index), storage);
    this.applier = new Applier(stateMachine, this.log);
    this.compactor = new Compactor({
      log: this.log,
      applier: this.applier,
      stateMachine,
      retention,
      onSnapshot: (index, data) => pump.deliver({ type: 'compact', index, data }),
    });
  }

  get appliedIndex(): number {
    return this.applier.appliedIndex;
  }

  /** Rebuilds the state from what the disk holds. */
  async open(snapshot: Snapshot | null, commitIndex: number): Promise<void> {
    if (snapshot) this.applier.restore(snapshot);
    this.commitIndex = commitIndex;
    await this.advance();
  }

  /**
   * Everything up to `index` is committed and will be applied with the next `stepped`. @returns how many entries that adds
   */
  commit(index: number): number {
    const added = index - this.commitIndex;
    this.commitIndex = index;
    return added;
  }

  /** A leader's snapshot replaces state and log. */
  restore(snapshot: Snapshot): void {
    this.commitIndex = snapshot.index;
    this.applier.restore(snapshot);
  }

  /** The application comes after network and disk, which do not wait for it. */
  stepped(): void {
    if (this.applier.appliedIndex >= this.commitIndex) return;
    void this.advance().catch((error: Error) => this.options.onError(error));
  }

  /** Commits a command and returns what the state machine made of it. */
  propose(data: Uint8Array): Promise<Outcome<{ result: Result }>> {
    return new Promise((resolve) => {
      const proposedMs = performance.now();
      this.options.pump.submit(
        (id) => ({ type: 'propose', id, data, crc: crc32(data) }),
        (answer) => {
          if (answer.outcome !== 'done') return resolve(answer);
          const committedMs = performance.now();
          this.applier.awaitResult(answer.index, (applied) => {
            const applyMs = performance.now() - committedMs;
            this.options.onProposed({ replicateMs: committedMs - proposedMs, applyMs });
            if (applied) resolve({ ...answer, ...applied });
            else resolve(this.ended ? STOPPED : { outcome: 'unknown', reason: 'a snapshot replaced it' });
          });
        },
      );
    });
  }

  /** Waits until everything that was committed anywhere before the call is applied here. */
  async readBarrier(): Promise<Outcome<object>> {
    const answer = await this.options.pump.ask((id) => ({ type: 'read', id }));
    if (answer.outcome !== 'done') return answer;
    await this.applier.whenApplied(answer.index);
    return this.ended ? STOPPED : answer;
  }

  readEntries(from: number, to: number, maxBytes: number): Promise<LoadedEntry[]> {
    return this.log.read(from, to, maxBytes);
  }

  /** Stops applying and wakes all waiting callers. */
  end(): void {
    this.ended = true;
    this.applier.end();
  }

  private async advance(): Promise<void> {
    const { pump, core, onApplied } = this.options;
    if (!(await this.applier.advance(this.commitIndex)) || this.ended) return;
    pump.deliver({ type: 'applied', index: this.appliedIndex });
    onApplied(this.appliedIndex);
    if (pump.isRunning) await this.compactor.compactIfDue(core());
  }
}

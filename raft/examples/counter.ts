import type { LoadedEntry, Snapshot, StateMachine } from '../index.js';

/** A number that every node agrees on. Commands are four bytes: what to add. */
export class Counter implements StateMachine<number> {
  value = 0;
  /** The value after each applied command, oldest first. */
  private readonly history: { index: number; value: number }[] = [{ index: 0, value: 0 }];

  static add(amount: number): Buffer {
    const command = Buffer.alloc(4);
    command.writeInt32BE(amount);
    return command;
  }

  /** Returns the result of the proposal, for the node that proposed. */
  apply({ index, data }: LoadedEntry): number {
    this.value += Buffer.from(data).readInt32BE();
    this.history.push({ index, value: this.value });
    return this.value;
  }

  /** The library asks for the state at an old index. Entries after it stay in the log. */
  async snapshotAt(index: number): Promise<Uint8Array> {
    const state = Buffer.alloc(8);
    state.writeDoubleBE(this.history.findLast((state) => state.index <= index)?.value ?? 0);
    const kept = this.history.findLastIndex((state) => state.index <= index);
    this.history.splice(0, Math.max(0, kept));
    return state;
  }

  restore({ index, data }: Snapshot): void {
    this.value = Buffer.from(data).readDoubleBE();
    this.history.splice(0, Infinity, { index, value: this.value });
  }
}

import type { LoadedEntry } from '../../core/entries.js';
import type { Snapshot } from '../../core/stored-state.js';
import type { StateMachine } from '../state-machine.js';

/** Remembers all commands. The result of a command is the number of commands so far. */
export class RecordingMachine implements StateMachine<number> {
  readonly commands: string[] = [];
  /** What `commands` began with when the last snapshot arrived. */
  restored = 0;
  private readonly indices: number[] = [];

  apply({ index, data }: LoadedEntry): number {
    this.indices.push(index);
    return this.commands.push(Buffer.from(data).toString());
  }

  async snapshotAt(index: number): Promise<Uint8Array> {
    const count = this.indices.filter((at) => at <= index).length;
    return Buffer.from(JSON.stringify({ commands: this.commands.slice(0, count), index }));
  }

  restore(snapshot: Snapshot): void {
    const { commands } = JSON.parse(Buffer.from(snapshot.data).toString()) as { commands: string[] };
    this.commands.splice(0, Infinity, ...commands);
    this.indices.splice(0, Infinity, ...commands.map(() => snapshot.index));
    this.restored = commands.length;
  }
}

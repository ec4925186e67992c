import type { LoadedEntry } from '../../core/entries.js';
import type { Persist } from '../../core/outputs.js';
import { check } from '../checks/violation.js';
import type { Machine, Process, WriteUnderWay } from './machine.js';
import type { NodeEnvironment } from './node-environment.js';

/** Carries writes to the disk of a machine. They take time, one after the other, and some never arrive. */
export class DiskWriter {
  constructor(
    private readonly world: NodeEnvironment,
    private readonly machine: Machine,
  ) {}

  write(process: Process, persist: Persist): void {
    const { world, machine } = this;
    const { disk, faults } = world.options;
    check(!process.writing, 'storage', () => `${machine.id} writes twice at a time`);
    check(
      !persist.entries.includes(undefined as never),
      'storage',
      () => `${machine.id} writes what it has not`,
    );
    // Copies the bytes now, because the core may evict them later.
    const write = { ...persist, entries: persist.entries.map(copyOf) };
    const durationMs = (disk.writeMinMs + world.rng.exponential(disk.writeMeanMs)) * machine.diskFactor;
    if (world.isChaotic && world.rng.chance(faults.crashAroundWriteChance)) {
      world.queue.after(durationMs * world.rng.between(0, 3), () => {
        if (machine.process === process && world.isChaotic) world.nemesis.crash(machine);
      });
    }
    const { votedFor } = persist.hardState;
    const isVote =
      votedFor !== null && votedFor !== machine.id && votedFor !== machine.disk.hardState.votedFor;
    if (isVote && world.isChaotic && world.rng.chance(faults.crashAfterVoteChance)) {
      world.queue.after(durationMs + world.rng.exponential(disk.writeMeanMs), () => {
        if (machine.process !== process || !world.isChaotic) return;
        world.count('crash after a vote');
        world.nemesis.crash(machine, world.rng.between(0, world.options.timing.rankSlotMs));
      });
    }
    const fails = world.isChaotic && world.rng.chance(faults.writeErrorChance);
    const underWay = { write, fails };
    process.writing = underWay;
    if (world.coreHost.reportsWritesEarly) world.queue.after(0, () => this.reportStored(process, write));
    world.queue.after(durationMs, () => this.endWrite(process, underWay));
  }

  private endWrite(process: Process, underWay: WriteUnderWay): void {
    const { world, machine } = this;
    const { write, fails } = underWay;
    if (machine.process !== process || process.writing !== underWay) return;
    if ((fails && world.isChaotic) || machine.diskIsFull) {
      world.count(fails ? 'write error' : 'disk full');
      if (world.coreHost.stopsOnFailedWrites) return world.nemesis.crash(machine);
      process.writing = null;
      return this.reportStored(process, write);
    }
    process.writing = null;
    this.finishWrite(write);
    if (!world.coreHost.reportsWritesEarly) this.reportStored(process, write);
  }

  private reportStored(process: Process, { seq }: Persist): void {
    const { machine } = this;
    if (machine.process === process) machine.receive({ type: 'stored', seq });
  }

  /** The current write of a slow disk ends soon. */
  hurry(): void {
    const { process } = this.machine;
    const writing = process?.writing;
    if (writing) this.world.queue.after(1, () => this.endWrite(process, writing));
  }

  finishNow(): void {
    const { process } = this.machine;
    if (process?.writing) this.endWrite(process, process.writing);
  }

  private finishWrite(write: Persist): void {
    // When the log is cut, the state before it is worth keeping: it is not just shorter.
    const turns = write.truncateFrom !== undefined && this.world.options.faults.weights.goBack > 0;
    if (turns) this.machine.keepCopy();
    this.machine.disk.apply(write);
    this.world.written(this.machine, write);
  }

  /** The process died during this write. Unless it is torn, it survives either whole or not at all. */
  leaveUnfinished(write: Persist): void {
    const { world, machine } = this;
    if (machine.diskIsFull) return;
    if (world.rng.chance(world.options.disk.keepUnfinishedChance)) {
      this.finishWrite(write);
    } else if (world.isChaotic && world.rng.chance(world.options.faults.tornWriteChance)) {
      if (!world.mayLoseDisk(machine)) return;
      world.count('torn write');
      machine.disk.tear(write, world.rng);
      // A disk that went back before counts as lost, damaged or not.
      machine.diskIsLost ||= machine.disk.damage() !== undefined;
    }
  }
}

/** Not a spread, for speed: each write copies each of its entries. */
const copyOf = ({ index, term, kind, byteLength, crc, chainHash, data }: LoadedEntry): LoadedEntry => ({
  index,
  term,
  kind,
  byteLength,
  crc,
  chainHash,
  data,
});

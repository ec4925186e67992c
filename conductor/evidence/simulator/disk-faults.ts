import { MemoryDisk } from '../../../raft/index.js';
import type { Machine } from './machine.js';
import type { World } from './world.js';

/** By then, everything in flight to or from a killed process has arrived. */
const ARRIVED_MS = 2000;
const OPERATOR_PAUSE_MS = 3000;
/** Well below the time after which nobody waits for an answer of the first process. */
const LOOK_EVERY_MS = 50;

/**
 * Faults of the conductors' disks, and how operators repair them. Raft survives the loss of one disk if the others have
 * everything committed, so only disks that the cluster can spare are touched.
 */
export class DiskFaults {
  constructor(private readonly world: World) {}

  /** A volume is restored to an older state. The cluster notices, and the node is useless until its disk is replaced. */
  async goBack(machine: Machine, keptMs: number): Promise<void> {
    const { world } = this;
    if (!this.maySpare(machine)) return;
    world.impaired.add(machine);
    const older = copyOf(machine.disk);
    await world.clock.sleep(keptMs);
    await this.silence(machine);
    if (this.othersHaveAll(machine)) {
      machine.disk = older;
      world.count('disk went back');
      world.note(machine.nodeId, 'its disk is what it was before');
    }
    await machine.startConductor();
    await world.clock.sleep(keptMs);
    await this.replace(machine);
  }

  /** An operator gives the node an empty disk, and adds it again. */
  async replaceHealthy(machine: Machine): Promise<void> {
    if (!this.maySpare(machine)) return;
    this.world.impaired.add(machine);
    await this.replace(machine);
  }

  /**
   * A second process runs on a copy of the disk, elsewhere, as after a restore of a backup on another host. It ends
   * when the first one ends or is cut off: from then on the copy would count instead (see `known-violations.ts`).
   */
  async runCopy(machine: Machine, forMs: number): Promise<void> {
    const { world } = this;
    // A lost request looks like an unanswered one, and a lone voter needs to ask nobody.
    const isSafe = world.options.raftLinks.lossChance === 0 && world.machines.length > 1;
    if (!machine.conductor || machine.copy || !isSafe || this.isCutOff(machine)) return;
    const copy = machine.processOnCopy(copyOf(machine.disk));
    machine.copy = copy;
    world.count('disk copied');
    // It waits for its op-node forever.
    void copy.start();
    const endMs = world.nowMs + forMs;
    while (machine.copy === copy && world.nowMs < endMs && !this.isCutOff(machine))
      await world.clock.sleep(LOOK_EVERY_MS);
    if (machine.copy === copy) machine.endCopy();
  }

  private isCutOff({ nodeId: own }: Machine): boolean {
    const { raftLinks, machines } = this.world;
    return machines.some(({ nodeId }) => raftLinks.isBroken(own, nodeId) || raftLinks.isBroken(nodeId, own));
  }

  private async replace(machine: Machine): Promise<void> {
    const { world } = this;
    while (!this.othersHaveAll(machine)) await world.clock.sleep(OPERATOR_PAUSE_MS);
    await this.silence(machine);
    machine.disk = new MemoryDisk();
    world.count('disk replaced');
    world.note(machine.nodeId, 'gets an empty disk');
    while (!(await this.added(machine))) await world.clock.sleep(OPERATOR_PAUSE_MS);
    world.count('voter again');
    world.note(machine.nodeId, 'is a voter again');
    world.impaired.delete(machine);
  }

  /** Ends its process, and the one that somebody else has started meanwhile: nobody takes the disk of a running one. */
  private async silence(machine: Machine): Promise<void> {
    do {
      machine.killConductor();
      await this.world.clock.sleep(ARRIVED_MS);
    } while (machine.conductor);
  }

  /** Like an operator who repeats the call until it succeeds. */
  private async added(machine: Machine): Promise<boolean> {
    await machine.startConductor();
    const { leader } = this.world;
    if (!leader?.conductor || leader === machine) return false;
    const { conductor } = leader.conductor;
    try {
      await conductor.addServerAsVoter(machine.nodeId, `${machine.nodeId}:50050`, 0);
      return true;
    } catch {
      return false;
    }
  }

  /** No other disk is missing, and those left are more than a bare majority. */
  private maySpare(machine: Machine): boolean {
    const { machines, impaired } = this.world;
    return machines.length >= 3 && impaired.size === 0 && machine !== this.world.leader;
  }

  private othersHaveAll(machine: Machine): boolean {
    const { machines, ledger } = this.world;
    const last = ledger.lastApplied?.index ?? 0;
    return machines.every((other) => other === machine || (other.disk.manifest?.last.index ?? 0) >= last);
  }
}

/** A snapshot of the volume. It stays unchanged, because writes replace the disk's objects and do not modify them. */
export function copyOf(disk: MemoryDisk): MemoryDisk {
  return Object.assign(new MemoryDisk(), disk, { entries: [...disk.entries] });
}

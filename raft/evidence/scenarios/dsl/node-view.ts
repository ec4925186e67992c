import type { CoreContext } from '../../../core/context.js';
import type { SimulatedNode } from '../../simulator/node.js';

/** What a scenario can see of a machine. Most of it exists only while a process runs. */
export abstract class NodeView {
  constructor(readonly machine: SimulatedNode) {}

  get id(): string {
    return this.machine.id;
  }

  protected get inside(): CoreContext {
    const { process } = this.machine;
    if (!process) throw new Error(`${this.id} does not run`);
    return process.ctx;
  }

  get isRunning(): boolean {
    return this.machine.isRunning;
  }
  get role() {
    return this.inside.role;
  }
  get leads(): boolean {
    return this.machine.leads;
  }
  /** Leads, and an entry of its own term is committed. */
  get isReady(): boolean {
    return this.machine.isAwake && (this.inside.leadership?.ready ?? false);
  }
  get term(): number {
    return this.inside.term;
  }
  get asksForPreVotes(): boolean {
    return this.inside.campaign?.prevote === true;
  }
  /** Id of the node that it voted for in its term. */
  get votedFor(): string | null {
    return this.inside.votedFor;
  }
  get commitIndex(): number {
    return this.inside.commit;
  }
  get lastIndex(): number {
    return this.inside.log.lastIndex;
  }
  get snapshotIndex(): number {
    return this.inside.log.snapshotIndex;
  }
  get durableIndex(): number {
    return this.inside.outbox.durableIndex;
  }
  get leaseRemainingMs(): number {
    const { process } = this.machine;
    return process ? process.core.status(process.ctx.now).leaseRemainingMs : 0;
  }
  /** The commands in its log after the snapshot. */
  get log(): string[] {
    return this.commands(this.lastIndex);
  }
  /** The commands of its log that it knows to be committed. */
  get committed(): string[] {
    return this.commands(this.commitIndex);
  }
  /** Ids of the voters in the configuration in force here, and its index in the log. */
  get voters(): string[] {
    const { members } = this.inside.configurations.latest.configuration;
    return members.filter((member) => member.voter).map((member) => member.id);
  }
  get configurationIndex(): number {
    return this.inside.configurations.latest.index;
  }
  /** What this leader knows to be on the other's disk. */
  matchOf(peer: NodeView): number {
    return this.inside.leadership?.progress.get(peer.id)?.match ?? 0;
  }
  /** Term of the entry at `index`. */
  termAt(index: number): number | undefined {
    return this.inside.log.termAt(index);
  }

  private commands(upTo: number): string[] {
    const found: string[] = [];
    for (let index = this.snapshotIndex + 1; index <= upTo; index++) {
      if (this.inside.log.get(index)?.kind !== 'command') continue;
      const data = this.machine.dataOf(this.inside, index);
      found.push(data ? new TextDecoder().decode(data.subarray(4)) : '?');
    }
    return found;
  }
}

import type { MembershipChange } from '../../../core/configuration-change.js';
import type { NodeId } from '../../../core/configuration.js';
import type { CoreContext } from '../../../core/context.js';
import { crc32 } from '../../../core/crc32.js';
import type { Stimulus } from '../../../core/inputs.js';
import type { Message } from '../../../core/messages.js';
import type { Answer } from '../../../core/outputs.js';
import type { ClientRequests, RequestKind } from '../../simulator/client-requests.js';
import { addressOf, incarnationOf } from '../../simulator/identity.js';
import type { SimulatedNode } from '../../simulator/node.js';
import type { SimulationOptions } from '../../simulator/options.js';
import type { Party } from './messages.js';

/** Something that was asked of a node, and what came of it. */
export interface Asked {
  readonly answer: Answer | undefined;
  /** `done`, `rejected: reason`, `unknown`, or `open` while there is no answer. */
  readonly outcome: string;
}

/** What a node needs of the world that its scenario plays in. */
interface ScenarioEnvironment {
  readonly options: SimulationOptions;
  readonly requests: ClientRequests;
  readonly answers: ReadonlyMap<number, Answer>;
  nodeOf(id: NodeId): ScenarioNode;
  note(text: string): void;
}

/** One machine of a scenario, as the author of a bug report speaks of it. */
export class ScenarioNode implements Party {
  constructor(
    private readonly world: ScenarioEnvironment,
    readonly machine: SimulatedNode,
  ) {}

  get id(): string {
    return this.machine.id;
  }

  // ------------------------------------------------------------ what it is

  private get inside(): CoreContext {
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
  /** The leader it follows. */
  get leader(): ScenarioNode | undefined {
    const { leader } = this.inside;
    return leader === null ? undefined : this.world.nodeOf(leader);
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
  /** The commands in its log behind the snapshot. */
  get log(): string[] {
    return this.commands(this.lastIndex);
  }
  /** The commands of its log that it knows to be committed. */
  get committed(): string[] {
    return this.commands(this.commitIndex);
  }
  /** Ids of the voters by the configuration in force here, and where in the log that is. */
  get voters(): string[] {
    const { members } = this.inside.configurations.latest.configuration;
    return members.filter((member) => member.voter).map((member) => member.id);
  }
  get configurationIndex(): number {
    return this.inside.configurations.latest.index;
  }
  /** What this leader knows to be on the other's disk. */
  matchOf(peer: ScenarioNode): number {
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

  // ------------------------------------------------------------ what is asked of it

  propose(text: string): Asked {
    return this.ask('propose', (id) => {
      const command = new TextEncoder().encode(text);
      const data = new Uint8Array(4 + command.length);
      // The simulator's invariants know a proposal by the number that it begins with.
      new DataView(data.buffer).setUint32(0, id);
      data.set(command, 4);
      return { type: 'propose', id, data, crc: crc32(data) };
    });
  }

  read(): Asked {
    return this.ask('read', (id) => ({ type: 'read', id }));
  }

  transferTo(peer?: ScenarioNode): Asked {
    return this.ask('transfer', (id) => ({ type: 'transfer', id, to: peer?.id }));
  }

  addVoter({ id }: ScenarioNode): Asked {
    return this.change({ type: 'addVoter', id, address: addressOf(id), incarnation: incarnationOf(id, 1) });
  }

  addNonvoter({ id }: ScenarioNode): Asked {
    return this.change({
      type: 'addNonvoter',
      id,
      address: addressOf(id),
      incarnation: incarnationOf(id, 0),
    });
  }

  demote({ id }: ScenarioNode): Asked {
    return this.change({ type: 'demote', id });
  }

  remove({ id }: ScenarioNode): Asked {
    return this.change({ type: 'remove', id });
  }

  private change(change: MembershipChange): Asked {
    return this.ask('membership', (id) => ({
      type: 'changeMembership',
      id,
      change,
      expectedIndex: undefined,
    }));
  }

  private ask(kind: RequestKind, make: (id: number) => Stimulus): Asked {
    const { world, machine } = this;
    const id = world.requests.open(kind, machine);
    machine.receive(make(id));
    return {
      get answer() {
        return world.answers.get(id);
      },
      get outcome() {
        const answer = world.answers.get(id);
        if (!answer) return 'open';
        return answer.outcome === 'rejected' ? `rejected: ${answer.reason}` : answer.outcome;
      },
    };
  }

  /** The application made a snapshot; the log up to there goes. */
  compactTo(index: number): void {
    const { process } = this.machine;
    if (!process) throw new Error(`${this.id} does not run`);
    this.machine.receive({ type: 'compact', index, data: process.application.snapshotAt(index) });
  }

  /** How fit the application says it is to lead; 0 is unfit. */
  set fitness(value: number) {
    this.machine.receive({ type: 'eligibility', value });
  }

  // ------------------------------------------------------------ what happens to it

  start(): void {
    this.machine.start();
  }

  /** The process dies at once. `unsynced`: what it had not finished writing is lost, which is the default. */
  crash({ losing = 'unsynced' }: { losing?: 'unsynced' | 'nothing' } = {}): void {
    this.world.options.disk.keepUnfinishedChance = losing === 'unsynced' ? 0 : 1;
    this.machine.crash();
  }

  restart(how?: { losing?: 'unsynced' | 'nothing' }): void {
    if (this.isRunning) this.crash(how);
    this.start();
  }

  /** The process stands still; messages and finished writes wait for it. */
  pause(): void {
    this.world.note(`${this.id} stands still`);
    this.machine.pause();
  }

  /** It goes on. `suspended`: its clock stood still as well, so it does not know that time has passed. */
  resume({ suspended = false }: { suspended?: boolean } = {}): void {
    const { faults } = this.world.options;
    faults.pauseStopsClock = suspended;
    faults.pauseUnnoticed = suspended;
    this.world.note(`${this.id} goes on${suspended ? ', and its clock with it' : ''}`);
    this.machine.resume();
  }

  /** Writes begin and do not end any more. */
  stallDisk(): void {
    this.world.note(`writes of ${this.id} do not end any more`);
    this.machine.diskFactor = Infinity;
  }

  /** A write takes so long from now on; one that hangs ends now. */
  writeIn(ms: number): void {
    this.world.note(`a write of ${this.id} takes ${ms} ms`);
    this.machine.diskFactor = ms / this.world.options.disk.writeMinMs;
    this.finishWrite();
  }

  /** The write under way ends; the next one begins. */
  finishWrite(): void {
    this.machine.finishWriteNow();
  }

  /** Its host refuses connections: proof that the other's process is dead. */
  learnsOfDeathOf(peer: ScenarioNode): void {
    this.machine.receive({ type: 'peerGone', peer: peer.id });
  }

  /** A message arrives, whether or not it was ever sent. */
  hear(from: Party, message: Message): void {
    if (this.isRunning) this.machine.receive({ type: 'message', from: from.id, message });
  }
}

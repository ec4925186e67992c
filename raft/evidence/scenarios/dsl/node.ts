import type { MembershipChange } from '../../../core/configuration-change.js';
import type { NodeId } from '../../../core/configuration.js';
import { crc32 } from '../../../core/crc32.js';
import type { Stimulus } from '../../../core/inputs.js';
import type { Message } from '../../../core/messages.js';
import type { Answer } from '../../../core/outputs.js';
import type { ClientRequests, RequestKind } from '../../simulator/client-requests.js';
import { addressOf, incarnationOf } from '../../simulator/identity.js';
import type { SimulatedNode } from '../../simulator/node.js';
import type { SimulationOptions } from '../../simulator/options.js';
import type { Party } from './messages.js';
import { NodeView } from './node-view.js';

/** A request to a node, and its outcome. */
export interface Asked {
  readonly answer: Answer | undefined;
  /** `done`, `rejected: reason`, `unknown`, or `open` while there is no answer. */
  readonly outcome: string;
}

/** What a node needs of its scenario's world. */
interface ScenarioEnvironment {
  readonly options: SimulationOptions;
  readonly requests: ClientRequests;
  readonly answers: ReadonlyMap<number, Answer>;
  nodeOf(id: NodeId): ScenarioNode;
  note(text: string): void;
}

/** One machine of a scenario, in the words of a bug report. */
export class ScenarioNode extends NodeView implements Party {
  constructor(
    private readonly world: ScenarioEnvironment,
    machine: SimulatedNode,
  ) {
    super(machine);
  }

  /** The leader it follows. */
  get leader(): ScenarioNode | undefined {
    const { leader } = this.inside;
    return leader === null ? undefined : this.world.nodeOf(leader);
  }

  propose(text: string): Asked {
    return this.ask('propose', (id) => {
      const command = new TextEncoder().encode(text);
      const data = new Uint8Array(4 + command.length);
      // The simulator's invariants identify a proposal by the number at its beginning.
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

  addVoter({ id, machine: { incarnation } }: ScenarioNode): Asked {
    return this.change({ type: 'addVoter', id, address: addressOf(id), incarnation });
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

  /** The application made a snapshot. The log up to there is deleted. */
  compactTo(index: number): void {
    const { process } = this.machine;
    if (!process) throw new Error(`${this.id} does not run`);
    this.machine.receive({ type: 'compact', index, data: process.application.snapshotAt(index) });
  }

  /** How fit the application says it is to lead; 0 is unfit. */
  set fitness(value: number) {
    this.machine.receive({ type: 'eligibility', value });
  }

  start(): void {
    this.machine.start();
  }

  /** The process dies at once. `unsynced`: unfinished writes are lost, which is the default. */
  crash({ losing = 'unsynced' }: { losing?: 'unsynced' | 'nothing' } = {}): void {
    this.world.options.disk.keepUnfinishedChance = losing === 'unsynced' ? 0 : 1;
    this.machine.crash();
  }

  restart(how?: { losing?: 'unsynced' | 'nothing' }): void {
    if (this.isRunning) this.crash(how);
    this.start();
  }

  /** Its disk is lost, and it starts on an empty one. */
  loseDisk(): void {
    this.world.note(`${this.id} gets an empty disk`);
    this.machine.crash();
    this.machine.replaceDisk();
    this.start();
  }

  /** The process is paused. Messages and finished writes wait for it. */
  pause(): void {
    this.world.note(`${this.id} stands still`);
    this.machine.pause();
  }

  /** It continues. `suspended`: its clock stopped as well, so it does not know that time has passed. */
  resume({ suspended = false }: { suspended?: boolean } = {}): void {
    const { faults } = this.world.options;
    faults.pauseStopsClock = suspended;
    faults.pauseUnnoticed = suspended;
    this.world.note(`${this.id} goes on${suspended ? ', and its clock with it' : ''}`);
    this.machine.resume();
  }

  /** Writes begin and no longer end. */
  stallDisk(): void {
    this.world.note(`writes of ${this.id} do not end any more`);
    this.machine.diskFactor = Infinity;
  }

  /** A write takes this long from now on. A hanging one ends now. */
  writeIn(ms: number): void {
    this.world.note(`a write of ${this.id} takes ${ms} ms`);
    this.machine.diskFactor = ms / this.world.options.disk.writeMinMs;
    this.finishWrite();
  }

  /** The current write ends, and the next one begins. */
  finishWrite(): void {
    this.machine.writer.finishNow();
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

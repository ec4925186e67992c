import { MemoryDisk, type CoreStatus } from '../../../raft/index.js';
import { payloadOf, type Block } from './chain/block-store.js';
import { ConductorProcess, type ConductorSettings, type ConductorEnvironment } from './conductor-process.js';
import type { Observed } from './invariants/invariant.js';
import { CallFaults } from './node/call-faults.js';
import type { ConductorRpc } from './node/conductor-calls.js';
import type { ExecutionClient } from './node/execution-client.js';
import { OpNode, type OpNodeEnvironment } from './node/op-node.js';

/** What the programs of one machine depend on. */
export interface MachineEnvironment
  extends
    Omit<OpNodeEnvironment, 'conductor' | 'execution'>,
    Omit<
      ConductorEnvironment,
      keyof OpNodeEnvironment | 'opNode' | 'faults' | 'disk' | 'place' | 'execution' | 'toldToStop'
    > {
  settings: ConductorSettings;
  /** A call of op-node to its conductor takes this long, one way. */
  latencyMs: () => number;
  /** The answer to a commit is cut off. */
  losesAnswer: () => boolean;
  /** A leading conductor was told to end and has not told op-node to stop. */
  retired: () => void;
  /** The observer of a process on another machine. */
  strangerOn: (place: string) => Pick<ConductorEnvironment, 'watcher' | 'onFatal' | 'logger'>;
}

/** One machine: op-node, execution client and conductor, each of which runs and dies separately. */
export class Machine implements Observed {
  /** The conductor's disk. */
  disk = new MemoryDisk();
  /** Added to the usual time of a write. */
  diskDelayMs = 0;
  readonly faults = new CallFaults();
  opNode: OpNode | null = null;
  conductor: ConductorProcess | null = null;
  /** A process on a copy of the disk, which ends with the first one. */
  copy: ConductorProcess | null = null;
  private boots = 0;
  private bootedAtMs = 0;
  private timesToldToStop = 0;
  private roleIs: CoreStatus['role'] | undefined;
  roleSinceMs = 0;

  constructor(
    readonly nodeId: string,
    readonly execution: ExecutionClient,
    private readonly environment: MachineEnvironment,
  ) {
    if (this.isWitness) execution.kill(0);
  }

  /** It runs only a conductor. */
  get isWitness(): boolean {
    return this.environment.settings.isWitness;
  }

  get head(): Block {
    return this.execution.storedHead;
  }

  get role(): CoreStatus['role'] | undefined {
    return this.conductor ? this.roleIs : undefined;
  }

  get committedHead(): { number: number; hash: string } | undefined {
    return this.conductor?.machine.live.head;
  }

  get process(): number | undefined {
    return this.conductor ? this.boots : undefined;
  }

  get pausedSinceMs(): number | undefined {
    return this.conductor?.pausedSinceMs;
  }

  get strangerSinceMs(): number | undefined {
    return this.conductor?.belongsToCluster === false ? this.bootedAtMs : undefined;
  }

  get knowsLog(): boolean {
    return this.conductor?.knowsLog === true;
  }

  get isHalted(): boolean {
    return this.conductor?.isHalted === true;
  }

  get sequences(): boolean {
    return this.opNode?.sequencerActive() === true;
  }

  get couldSequence(): boolean {
    return this.conductor?.couldSequence === true;
  }

  get hasSlowDisk(): boolean {
    return this.diskDelayMs > 0;
  }

  get leads(): boolean {
    return this.role === 'leader';
  }

  noteRole(role: CoreStatus['role']): void {
    if (role === this.roleIs) return;
    this.roleIs = role;
    this.roleSinceMs = this.environment.clock.nowMs;
  }

  startOpNode(activeAtStart: boolean): void {
    if (this.opNode || this.isWitness) return;
    const { execution, environment } = this;
    this.opNode = new OpNode(
      this.nodeId,
      { ...environment, execution, conductor: this.conductorRpc },
      activeAtStart,
    );
  }

  startExecution(): void {
    if (!this.isWitness && !this.execution.isRunning) this.execution.start();
  }

  killOpNode(): void {
    this.opNode?.kill();
    this.opNode = null;
  }

  async startConductor(): Promise<void> {
    if (this.conductor) return;
    const { disk } = this;
    this.roleIs = undefined;
    this.boots += 1;
    this.bootedAtMs = this.environment.clock.nowMs;
    const conductor = this.createConductor({ disk, place: this.nodeId, opNode: () => this.opNode });
    this.conductor = conductor;
    await conductor.start();
  }

  /** A second process with this node's identity, on another host, where no op-node runs. */
  processOnCopy(disk: MemoryDisk): ConductorProcess {
    const { strangerOn } = this.environment;
    const place = `${this.nodeId}-copy`;
    return this.createConductor({ disk, place, opNode: () => null, ...strangerOn(place) });
  }

  private createConductor(
    own: Pick<ConductorEnvironment, 'disk' | 'place' | 'opNode'> & Partial<ConductorEnvironment>,
  ): ConductorProcess {
    const { execution, environment, faults } = this;
    const { writeMs, survivesDeath } = environment.diskOptions;
    return new ConductorProcess(this.nodeId, environment.settings, {
      ...{ ...environment, execution, faults },
      toldToStop: () => (this.timesToldToStop += 1),
      diskOptions: { writeMs: () => writeMs() + this.diskDelayMs, survivesDeath },
      ...own,
    });
  }

  killConductor(): void {
    const { conductor } = this;
    this.conductor = null;
    conductor?.kill();
    this.endCopy();
  }

  endCopy(): void {
    this.copy?.kill();
    this.copy = null;
  }

  /** Power is cut. @param lostBlocks number of blocks that the execution client had not written yet */
  killMachine(lostBlocks: number): void {
    this.killConductor();
    this.killOpNode();
    this.execution.kill(lostBlocks);
  }

  /** As at SIGTERM. */
  async retireConductor(): Promise<void> {
    const { conductor, opNode, leads, timesToldToStop } = this;
    await conductor?.retire();
    if (this.conductor !== conductor) return;
    const isTold = this.timesToldToStop > timesToldToStop;
    if (leads && opNode === this.opNode && !isTold) this.environment.retired();
    this.killConductor();
  }

  /** The methods of its conductor that op-node calls. */
  private readonly conductorRpc: ConductorRpc = {
    leader: () => this.call(async ({ conductor }) => conductor.leader()),
    commit: (block, gone) =>
      this.call(({ conductor }) => conductor.commitUnsafePayload(payloadOf(block), { gone }), true),
  };

  private call<T>(serve: (process: ConductorProcess) => Promise<T>, mayBreak = false): Promise<T> {
    const { clock, latencyMs, losesAnswer } = this.environment;
    return new Promise((resolve, reject) => {
      const back = (settle: () => void): void => clock.after(latencyMs(), settle);
      const breakOff = (): void => back(() => reject(new Error('the connection broke')));
      clock.after(latencyMs(), () => {
        const { conductor } = this;
        if (!conductor) return back(() => reject(new Error('connection refused')));
        const forget = conductor.lifetime.onEnd(breakOff);
        const answer = (settle: () => void): void => {
          forget();
          if (conductor.lifetime.isOver) return;
          if (mayBreak && losesAnswer()) return breakOff();
          back(settle);
        };
        serve(conductor).then(
          (value) => answer(() => resolve(value)),
          (error: Error) => answer(() => reject(error)),
        );
      });
    });
  }
}

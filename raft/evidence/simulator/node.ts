import type { Configuration, NodeId } from '../../core/configuration.js';
import type { CoreContext } from '../../core/context.js';
import type { Input, Stimulus } from '../../core/inputs.js';
import type { Output } from '../../core/outputs.js';
import { Violation } from '../checks/violation.js';
import { Applier } from './applier.js';
import { completeMessage } from './complete-message.js';
import { DiskWriter } from './disk-writer.js';
import { SimulatedDisk } from './disk.js';
import { coreState } from './core-host.js';
import { incarnationOf } from './identity.js';
import type { Machine, Process } from './machine.js';
import type { NodeClock } from './node-clock.js';
import type { NodeEnvironment } from './node-environment.js';
import { ObservedLog } from './observed-log.js';
import { pointersOf } from './observed-node.js';
import { RequestDeadlines } from './request-deadlines.js';
import { StateMachine } from './state-machine.js';
import { WakeUpTimer } from './wake-up-timer.js';

/** Snapshots of a volume that are kept. */
const COPIES_MAX = 6;

/** One machine: a disk that outlives its processes, a clock, and usually a process that runs the core. */
export class SimulatedNode implements Machine {
  disk = new SimulatedDisk();
  /** Changes with the disk. */
  incarnation: string;
  /** The content of the disk can no longer be trusted: a started process refuses it. */
  diskIsLost = false;
  diskIsFull = false;
  /** The leader and term that its disk lost when it went back; null if it never did. */
  wentBackFrom: { leader: NodeId; term: number } | null = null;
  /** Earlier states of its disk, the newest last. */
  readonly copies: SimulatedDisk[] = [];
  process: Process | null = null;
  /** Writes take this many times longer. */
  diskFactor = 1;
  readonly timer: WakeUpTimer;
  readonly writer: DiskWriter;
  private readonly applier: Applier;
  private generation = 1;

  constructor(
    private readonly world: NodeEnvironment,
    readonly id: NodeId,
    /** Position among all nodes. */
    readonly slot: number,
    readonly clock: NodeClock,
    /** Founds the cluster when the disk is empty. */
    private bootstrap: Configuration | null,
  ) {
    this.incarnation = incarnationOf(id, 1);
    this.timer = new WakeUpTimer(world, this);
    this.writer = new DiskWriter(world, this);
    this.applier = new Applier(world, this);
  }

  /** The configurations that may still decide something, by this node's memory or disk. */
  configurationsInUse(): Configuration[] {
    if (this.diskIsLost) return [];
    if (this.process) {
      const { configurations, commit } = this.process.ctx;
      return [configurations.latest.configuration, configurations.at(commit).configuration];
    }
    const { snapshot, configurations } = this.disk.restore();
    const indexed = snapshot ? [snapshot.configuration, ...configurations] : configurations;
    return indexed.slice(-2).map(({ configuration }) => configuration);
  }

  get isRunning(): boolean {
    return this.process !== null;
  }

  /** Runs and is not paused. */
  get isAwake(): boolean {
    return this.process !== null && this.process.pausedSinceMs === null;
  }

  get leads(): boolean {
    return this.process?.ctx.role === 'leader';
  }

  /** Starts a process. If the disk is damaged, it reports that and stays down. */
  start(): void {
    const { options, coreHost } = this.world;
    const damage = this.disk.open(coreHost.checksDisks);
    if (damage !== undefined) {
      this.diskIsLost = true;
      this.world.refused(this, damage);
      return;
    }
    const restored = this.disk.restore();
    const core = coreHost.createCore(
      {
        id: this.id,
        incarnation: this.incarnation,
        priority: this.slot % 2,
        timing: options.timing,
        limits: options.limits,
      },
      restored,
    );
    const ctx = coreState(core);
    const application = new StateMachine();
    if (this.disk.snapshot) application.restore(this.disk.snapshot.data);
    const log = new ObservedLog();
    log.update(ctx.log);
    this.process = {
      core,
      ctx,
      application,
      requests: new RequestDeadlines(this.world.queue, options.timing.requestTimeoutMs, (to, requestId) =>
        this.receive({ type: 'requestFailed', to, requestId }),
      ),
      log,
      seen: pointersOf(ctx),
      wakeAtMs: Infinity,
      applying: false,
      backlog: [],
      pausedSinceMs: null,
      writing: null,
    };
    this.world.started(this);
    this.receive({ type: 'tick' });
    if (this.disk.isEmpty && this.bootstrap) {
      this.receive({
        type: 'bootstrap',
        id: this.world.requests.open('bootstrap', this),
        configuration: this.bootstrap,
      });
    }
    this.applier.applyLater();
  }

  /** The process dies at once. Unless it is torn, the current write survives either whole or not at all. */
  crash(): void {
    const { process, world } = this;
    if (!process) return;
    this.process = null;
    process.requests.stop();
    if (process.writing) this.writer.leaveUnfinished(process.writing.write);
    world.crashed(this);
  }

  get wentBack(): boolean {
    return this.wentBackFrom !== null;
  }

  /** Its disk went back, and no node knows yet. */
  get mayBeBelieved(): boolean {
    return this.wentBackFrom !== null && this.disk.hardState.reverted !== true;
  }

  keepCopy(): void {
    if (this.diskIsLost) return;
    this.copies.push(this.disk.copy());
    if (this.copies.length > COPIES_MAX) this.copies.shift();
  }

  /** While no process runs: restores the volume to one of its snapshots. */
  goBack(copy: SimulatedDisk, leader: NodeId, term: number): void {
    this.disk = copy.copy();
    this.diskIsLost = true;
    this.wentBackFrom = { leader, term };
    this.copies.length = 0;
  }

  /** While no process runs: changes a record on the disk. */
  rot(): void {
    this.disk.rot(this.world.rng);
    this.diskIsLost = true;
  }

  /** Replaces the disk by an empty one. To the cluster this is another node. */
  replaceDisk(): void {
    this.disk = new SimulatedDisk();
    this.generation += 1;
    this.incarnation = incarnationOf(this.id, this.generation);
    this.diskIsLost = false;
    this.wentBackFrom = null;
    this.copies.length = 0;
    this.bootstrap = null;
    this.world.disksReplaced += 1;
  }

  pause(): void {
    if (this.process && this.process.pausedSinceMs === null)
      this.process.pausedSinceMs = this.world.queue.nowMs;
  }

  resume(): void {
    const { process } = this;
    if (!process || process.pausedSinceMs === null) return;
    const { pauseStopsClock, pauseUnnoticed, timersFirst } = this.world.options.faults;
    const forMs = this.world.queue.nowMs - process.pausedSinceMs;
    process.pausedSinceMs = null;
    if (pauseStopsClock) this.clock.loseMs(forMs);
    // The runtime reports a stall before it reads what arrived meanwhile. The timer comes last.
    if (!pauseUnnoticed) this.receive({ type: 'stalled', forMs });
    else if (timersFirst) this.receive({ type: 'tick' });
    const backlog = process.backlog;
    process.backlog = [];
    for (const stimulus of backlog) this.receive(stimulus);
    this.timer.arm();
  }

  receive(stimulus: Stimulus): void {
    const { process, world } = this;
    if (!process) return;
    if (process.pausedSinceMs !== null) {
      process.backlog.push(stimulus);
      return;
    }
    const input = withMoment(stimulus, this.clock.at(world.queue.nowMs), world.rng.next());
    let outputs: readonly Output[];
    try {
      outputs = process.core.step(input);
    } catch (error) {
      world.trace.step(world.queue.nowMs, this, process, input, []);
      throw new Violation('crash', `${this.id}: ${(error as Error).stack}`);
    }
    world.stepped(this, process, input, outputs);
    for (const output of outputs) this.carryOut(process, output);
    this.timer.arm();
  }

  private carryOut(process: Process, output: Output): void {
    switch (output.type) {
      case 'persist':
        return this.writer.write(process, output);
      case 'send': {
        const message = completeMessage(output.message, this.disk);
        if (message) this.world.network.send(this, process, output.to, message);
        else this.failAtOnce(process, output.to, output.message.requestId);
        return;
      }
      case 'commit':
        return this.applier.applyLater();
      case 'restore':
        process.application.restore(output.snapshot.data);
        return;
      case 'answer':
        this.world.requests.close(output.id);
        return;
      case 'event':
        this.world.count(`event: ${output.event.type}`);
        if (output.event.type === 'role' && output.event.role === 'leader') this.world.count('leadership');
        return;
      case 'halt':
        throw new Violation('halt', `${this.id}: ${output.reason}`);
    }
  }

  private failAtOnce(process: Process, to: NodeId, requestId: number): void {
    this.world.queue.after(0, () => {
      if (this.process === process) this.receive({ type: 'requestFailed', to, requestId });
    });
  }

  /** The bytes of an entry of this node's log, from memory or disk. */
  dataOf(ctx: CoreContext, index: number): Uint8Array | undefined {
    const entry = ctx.log.get(index);
    return entry && (entry.data ?? this.disk.dataOf(index, entry.chainHash));
  }
}

/** One literal for each frequent kind, because spreading objects of many shapes takes several times longer. */
function withMoment(stimulus: Stimulus, now: number, random: number): Input {
  switch (stimulus.type) {
    case 'message':
      return { type: 'message', from: stimulus.from, message: stimulus.message, now, random };
    case 'tick':
      return { type: 'tick', now, random };
    case 'stored':
      return { type: 'stored', seq: stimulus.seq, now, random };
    case 'applied':
      return { type: 'applied', index: stimulus.index, now, random };
    default:
      return { ...stimulus, now, random };
  }
}

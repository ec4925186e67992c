import type { Configuration, NodeId } from '../../core/configuration.js';
import type { CoreContext } from '../../core/context.js';
import type { LoadedEntry } from '../../core/entries.js';
import type { Input, Stimulus } from '../../core/inputs.js';
import type { Message } from '../../core/messages.js';
import type { Output, Persist } from '../../core/outputs.js';
import type { Prng } from '../../testing/prng.js';
import { check, Violation } from '../checks/violation.js';
import type { ClientRequests } from './client-requests.js';
import { SimulatedDisk } from './disk.js';
import type { EventQueue } from './event-queue.js';
import { insideOf, type Hosting } from './hosting.js';
import { incarnationOf } from './identity.js';
import type { NodeClock } from './node-clock.js';
import { ObservedLog } from './observed-log.js';
import { pointersOf, type ObservedNode, type ObservedProcess, type Pointers } from './observed-node.js';
import type { SimulationOptions } from './options.js';
import { RequestDeadlines } from './request-deadlines.js';
import { StateMachine } from './state-machine.js';
import type { Trace } from './trace.js';

/** What exists only while a process runs. */
export interface Process extends ObservedProcess {
  readonly requests: RequestDeadlines;
  readonly seen: Pointers;
  /** World time of the armed timer. */
  wakeAtMs: number;
  applying: boolean;
  /** Inputs that wait for the end of a pause. */
  backlog: Stimulus[];
  pausedSinceMs: number | null;
  writing: WriteUnderWay | null;
}

interface WriteUnderWay {
  write: Persist;
  fails: boolean;
}

const APPLIED_AT_ONCE_MAX = 64;

/** What a node needs of the world around it. */
export interface NodeEnvironment {
  readonly queue: EventQueue;
  readonly rng: Prng;
  readonly options: SimulationOptions;
  readonly hosting: Hosting;
  readonly trace: Trace;
  readonly requests: ClientRequests;
  readonly network: { send(from: SimulatedNode, process: Process, to: NodeId, message: Message): void };
  readonly nemesis: { crash(node: SimulatedNode, downMs?: number): void };
  readonly isChaotic: boolean;
  disksReplaced: number;
  count(what: string): void;
  /** True when the cluster could spare this node's disk. */
  mayLoseDisk(node: SimulatedNode): boolean;
  started(node: SimulatedNode): void;
  refused(node: SimulatedNode, reason: string): void;
  crashed(node: SimulatedNode): void;
  written(node: SimulatedNode, write: Persist): void;
  applied(node: SimulatedNode, index: number, data: Uint8Array): void;
  stepped(node: SimulatedNode, process: Process, input: Input, outputs: readonly Output[]): void;
}

/** One machine: a disk that outlives its processes, a clock, and mostly a process that runs the core. */
export class SimulatedNode implements ObservedNode {
  disk = new SimulatedDisk();
  /** Changes with the disk. */
  incarnation: string;
  /** What the disk held can not be trusted any more: a process that is started refuses. */
  diskIsLost = false;
  diskIsFull = false;
  process: Process | null = null;
  /** Writes take this many times longer. */
  diskFactor = 1;
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
  }

  /** Those that may decide something still, by this node's memory or disk. */
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

  /** Begins a process, unless its disk is damaged: then it says so and stays away. */
  start(): void {
    const { options, hosting } = this.world;
    const damage = this.disk.open(hosting.checksDisks);
    if (damage !== undefined) {
      this.diskIsLost = true;
      this.world.refused(this, damage);
      return;
    }
    const restored = this.disk.restore();
    const core = hosting.createCore(
      {
        id: this.id,
        incarnation: this.incarnation,
        priority: this.slot % 2,
        timing: options.timing,
        limits: options.limits,
      },
      restored,
    );
    const ctx = insideOf(core);
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
    this.applyLater();
  }

  /** The process dies at once; the write under way survives or not, but whole or not at all, unless it is torn. */
  crash(): void {
    const { process, world } = this;
    if (!process) return;
    this.process = null;
    process.requests.stop();
    if (process.writing) this.leaveUnfinished(process.writing.write);
    world.crashed(this);
  }

  private leaveUnfinished(write: Persist): void {
    const { world } = this;
    if (this.diskIsFull) return;
    if (world.rng.chance(world.options.disk.keepUnfinishedChance)) {
      this.finishWrite(write);
    } else if (world.isChaotic && world.rng.chance(world.options.faults.tornWriteChance)) {
      if (!world.mayLoseDisk(this)) return;
      world.count('torn write');
      this.disk.tear(write, world.rng);
      this.diskIsLost = this.disk.damage() !== undefined;
    }
  }

  /** While no process runs: a record on the disk changes. */
  rot(): void {
    this.disk.rot(this.world.rng);
    this.diskIsLost = true;
  }

  /** An empty disk takes the place of what was there: to the cluster this is another node (bug 40). */
  replaceDisk(): void {
    this.disk = new SimulatedDisk();
    this.generation += 1;
    this.incarnation = incarnationOf(this.id, this.generation);
    this.diskIsLost = false;
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
    // The runtime reports a stall before it reads what arrived meanwhile; the timer comes last (raft.md §5.6).
    if (!pauseUnnoticed) this.receive({ type: 'stalled', forMs });
    else if (timersFirst) this.receive({ type: 'tick' });
    const backlog = process.backlog;
    process.backlog = [];
    for (const stimulus of backlog) this.receive(stimulus);
    this.armTimer();
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
    this.armTimer();
  }

  private carryOut(process: Process, output: Output): void {
    switch (output.type) {
      case 'persist':
        return this.write(process, output);
      case 'send': {
        const message = this.loaded(output.message);
        if (message) this.world.network.send(this, process, output.to, message);
        else this.failAtOnce(process, output.to, output.message.requestId);
        return;
      }
      case 'commit':
        return this.applyLater();
      case 'restore':
        process.application.restore(output.snapshot.data);
        return;
      case 'answer':
        this.world.requests.close(output.id);
        return;
      case 'event':
        this.world.count(`event: ${output.event.type}`);
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

  // ------------------------------------------------------------ disk

  private write(process: Process, persist: Persist): void {
    const { world } = this;
    const { disk, faults } = world.options;
    check(!process.writing, 'storage', () => `${this.id} writes twice at a time`);
    check(
      !persist.entries.includes(undefined as never),
      'storage',
      () => `${this.id} writes what it has not`,
    );
    // The bytes of this moment: the core may drop them from its memory later.
    const write = { ...persist, entries: persist.entries.map(copyOf) };
    const durationMs = (disk.writeMinMs + world.rng.exponential(disk.writeMeanMs)) * this.diskFactor;
    if (world.isChaotic && world.rng.chance(faults.crashAroundWriteChance)) {
      world.queue.after(durationMs * world.rng.between(0, 3), () => {
        if (this.process === process && world.isChaotic) world.nemesis.crash(this);
      });
    }
    const { votedFor } = persist.hardState;
    const isVote = votedFor !== null && votedFor !== this.id && votedFor !== this.disk.hardState.votedFor;
    if (isVote && world.isChaotic && world.rng.chance(faults.crashAfterVoteChance)) {
      world.queue.after(durationMs + world.rng.exponential(disk.writeMeanMs), () => {
        if (this.process !== process || !world.isChaotic) return;
        world.count('crash after a vote');
        world.nemesis.crash(this, world.rng.between(0, world.options.timing.rankSlotMs));
      });
    }
    const fails = world.isChaotic && world.rng.chance(faults.writeErrorChance);
    const underWay = { write, fails };
    process.writing = underWay;
    if (world.hosting.reportsWritesEarly) world.queue.after(0, () => this.reportStored(process, write));
    world.queue.after(durationMs, () => this.endWrite(process, underWay));
  }

  private endWrite(process: Process, underWay: WriteUnderWay): void {
    const { world } = this;
    const { write, fails } = underWay;
    if (this.process !== process || process.writing !== underWay) return;
    if ((fails && world.isChaotic) || this.diskIsFull) {
      world.count(fails ? 'write error' : 'disk full');
      if (world.hosting.stopsOnFailedWrites) return world.nemesis.crash(this);
      process.writing = null;
      return this.reportStored(process, write);
    }
    process.writing = null;
    this.finishWrite(write);
    if (!world.hosting.reportsWritesEarly) this.reportStored(process, write);
  }

  private reportStored(process: Process, { seq }: Persist): void {
    if (this.process === process) this.receive({ type: 'stored', seq });
  }

  /** A write that a slow disk had begun ends soon. */
  hurryWrite(): void {
    const { process } = this;
    const writing = process?.writing;
    if (writing) this.world.queue.after(1, () => this.endWrite(process, writing));
  }

  finishWriteNow(): void {
    const { process } = this;
    if (process?.writing) this.endWrite(process, process.writing);
  }

  private finishWrite(write: Persist): void {
    this.disk.apply(write);
    this.world.written(this, write);
  }

  /** Fetches evicted data from the disk, as the runtime does; undefined when the disk has other entries by now. */
  private loaded(message: Message): Message | undefined {
    if (message.type === 'snapshot' && !message.snapshot.data) {
      const stored = this.disk.snapshot;
      if (stored?.chainHash !== message.snapshot.chainHash) return undefined;
      return { ...message, snapshot: { ...message.snapshot, data: stored.data } };
    }
    if (message.type !== 'append' || message.entries.every((entry) => entry.data)) return message;
    const entries: LoadedEntry[] = [];
    for (const entry of message.entries) {
      const data = entry.data ?? this.storedData(entry.index, entry.chainHash);
      if (!data) return undefined;
      entries.push({ ...entry, data });
    }
    return { ...message, entries };
  }

  private storedData(index: number, chainHash: number): Uint8Array | undefined {
    const stored = this.disk.entry(index);
    return stored?.chainHash === chainHash ? stored.data : undefined;
  }

  /** The bytes of an entry of this node's log, from memory or disk. */
  dataOf(ctx: CoreContext, index: number): Uint8Array | undefined {
    const entry = ctx.log.get(index);
    return entry && (entry.data ?? this.storedData(index, entry.chainHash));
  }

  // ------------------------------------------------------------ application

  private applyLater(): void {
    const { process, world } = this;
    if (!process || process.applying || process.application.index >= process.ctx.commit) return;
    process.applying = true;
    world.queue.after(world.rng.exponential(world.options.application.applyMeanMs), () => {
      process.applying = false;
      if (this.process === process) this.apply(process);
    });
  }

  private apply(process: Process): void {
    const { application, ctx } = process;
    if (process.pausedSinceMs === null) {
      const upTo = Math.min(ctx.commit, application.index + this.world.rng.int(1, APPLIED_AT_ONCE_MAX));
      if (application.index < upTo) {
        while (application.index < upTo) {
          const index = application.index + 1;
          const data = this.dataOf(ctx, index);
          check(
            data !== undefined,
            'storage',
            () => `${this.id} has lost the data of committed entry ${index}`,
          );
          application.apply(data);
          this.world.applied(this, index, data);
        }
        this.receive({ type: 'applied', index: upTo });
        this.maybeCompact();
      }
    }
    this.applyLater();
  }

  private maybeCompact(): void {
    const { process, world } = this;
    if (!process) return;
    const { application, ctx } = process;
    const from = ctx.log.snapshotIndex;
    if (application.index - from < world.options.application.compactEvery) return;
    const index = world.rng.int(from + 1, application.index);
    this.receive({ type: 'compact', index, data: application.snapshotAt(index) });
  }

  // ------------------------------------------------------------ time

  /** The clock leaped or changed its rate. */
  clockChanged(): void {
    if (!this.process) return;
    this.process.wakeAtMs = Infinity;
    this.armTimer();
  }

  /** One timer, for the earliest deadline; a later one re-arms itself when it fires. */
  private armTimer(): void {
    const { process, world } = this;
    if (!process || process.pausedSinceMs !== null) return;
    const dueMs = this.clock.worldTimeOf(process.core.nextDeadlineMs());
    if (dueMs === Infinity || dueMs >= process.wakeAtMs) return;
    // A hair later, so that rounding cannot make the clock show less than the deadline.
    const late = world.rng.next() * world.options.clock.timerLatenessMaxMs + 0.001;
    const wakeAtMs = Math.max(dueMs, world.queue.nowMs) + late;
    process.wakeAtMs = wakeAtMs;
    world.queue.at(wakeAtMs, () => {
      if (this.process !== process || process.wakeAtMs !== wakeAtMs) return;
      process.wakeAtMs = Infinity;
      if (process.pausedSinceMs !== null) return;
      if (this.clock.at(world.queue.nowMs) >= process.core.nextDeadlineMs()) this.receive({ type: 'tick' });
      else this.armTimer();
    });
  }
}

/** Not a spread: there is one copy for each write of each entry. */
const copyOf = ({ index, term, kind, byteLength, crc, chainHash, data }: LoadedEntry): LoadedEntry => ({
  index,
  term,
  kind,
  byteLength,
  crc,
  chainHash,
  data,
});

/** One literal for each frequent kind: a spread of objects of many shapes takes several times longer. */
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

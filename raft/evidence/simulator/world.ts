import type { Configuration, NodeId } from '../../core/configuration.js';
import type { Input } from '../../core/inputs.js';
import type { Output, Persist } from '../../core/outputs.js';
import { Prng } from '../../testing/prng.js';
import { isQuorum, quorumsOf } from '../checks/quorums.js';
import { ClientRequests } from './client-requests.js';
import { EventQueue } from './event-queue.js';
import type { CoreHost } from './core-host.js';
import { addressOf, incarnationOf } from './identity.js';
import { everyInvariant } from './invariants/every-invariant.js';
import type { Invariant, Step } from './invariants/invariant.js';
import { Ledger, type Voter } from './ledger.js';
import type { Process } from './machine.js';
import { Nemesis } from './nemesis.js';
import { Network } from './network.js';
import { NodeClock } from './node-clock.js';
import type { NodeEnvironment } from './node-environment.js';
import { SimulatedNode } from './node.js';
import { notePointers } from './observed-node.js';
import type { SimulationOptions } from './options.js';
import type { Trace } from './trace.js';
import { Workload } from './workload.js';

/** A whole cluster in one thread, on virtual time. Everything in it follows from the seed. */
export class World implements NodeEnvironment {
  readonly rng: Prng;
  /** What was drawn from the seed; calmer while the cluster heals. */
  options: SimulationOptions;
  readonly queue = new EventQueue();
  readonly ledger = new Ledger();
  readonly network: Network;
  readonly nemesis = new Nemesis(this);
  readonly workload = new Workload(this);
  readonly requests = new ClientRequests(() => ({
    nowMs: this.queue.nowMs,
    committed: this.ledger.lastIndex,
  }));
  readonly nodes: readonly SimulatedNode[];
  /** Counts of events, by name. */
  readonly counts = new Map<string, number>();
  /** Incremented with every change between chaos and healing. Faults and workload belong to one phase. */
  phase = 0;
  isChaotic = false;
  steps = 0;
  /** While it is 0, every node has its first disk. */
  disksReplaced = 0;
  private readonly invariants: readonly Invariant[];
  private readonly checksOfSteps: readonly ((step: Step) => void)[];
  private readonly byId: ReadonlyMap<NodeId, SimulatedNode>;

  constructor(
    seed: number,
    private readonly drawn: SimulationOptions,
    readonly coreHost: CoreHost,
    readonly trace: Trace,
    /** Checks besides the invariants. */
    observers: readonly Invariant[] = [],
  ) {
    // A different stream from that of the options, so that a change of one does not affect the other.
    this.rng = new Prng(seed ^ 0x5bd1e995);
    this.options = drawn;
    this.network = new Network(this, drawn.network);
    this.nodes = this.createNodes();
    this.byId = new Map(this.nodes.map((node) => [node.id, node]));
    this.invariants = [...observers, ...everyInvariant(this)];
    this.checksOfSteps = this.invariants.flatMap((invariant) => invariant.stepped ?? []);
  }

  private createNodes(): SimulatedNode[] {
    const { voters, spares, growFromOne } = this.options.cluster;
    const ids = Array.from({ length: voters + spares }, (_, slot) => `n${slot + 1}`);
    const founders = growFromOne ? ids.slice(0, 1) : ids.slice(0, voters);
    const configuration: Configuration = {
      members: founders.map((id) => ({
        id,
        address: addressOf(id),
        incarnation: incarnationOf(id, 1),
        voter: true,
      })),
    };
    return ids.map((id, slot) => {
      const rate = 1 + this.rng.between(-1, 1) * this.options.clock.rateSpread;
      const clock = new NodeClock(rate, this.rng.between(0, 1e6));
      return new SimulatedNode(this, id, slot, clock, founders.includes(id) ? configuration : null);
    });
  }

  readonly nowMs = (): number => this.queue.nowMs;

  readonly node = (id: NodeId): SimulatedNode => this.byId.get(id) as SimulatedNode;

  /** The leader of the latest term, if it is awake. */
  get leader(): SimulatedNode | undefined {
    let best: SimulatedNode | undefined;
    for (const node of this.nodes) {
      if (!node.leads || !node.isAwake) continue;
      if (!best || (node.process as Process).ctx.term > (best.process as Process).ctx.term) best = node;
    }
    return best;
  }

  /** True when every configuration in use still has a majority of its voters without this node's disk. */
  mayLoseDisk(lost: SimulatedNode): boolean {
    const intact = ({ id, incarnation }: Voter): boolean => {
      const node = this.node(id);
      return node !== lost && node.incarnation === incarnation && !node.diskIsLost;
    };
    return this.nodes.every((node) =>
      node.configurationsInUse().every((configuration) => {
        const quorums = quorumsOf(configuration);
        return quorums.flat().length === 0 || isQuorum(quorums, intact);
      }),
    );
  }

  beginChaos(): void {
    this.phase += 1;
    this.isChaotic = true;
    this.options = this.drawn;
    this.network.options = this.drawn.network;
    this.network.mendAll();
    this.network.joinSevered();
    for (const node of this.nodes) if (!node.isRunning) node.start();
    this.nemesis.start(this.phase);
    this.workload.start(this.phase);
  }

  endChaos(): void {
    this.phase += 1;
    this.isChaotic = false;
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  started(node: SimulatedNode): void {
    this.trace.note(this.queue.nowMs, `${node.id} starts`);
    for (const invariant of this.invariants) invariant.started?.(node);
  }

  /** A disk was found damaged, and no process started. */
  refused(node: SimulatedNode, reason: string): void {
    this.count('start refused');
    this.trace.note(this.queue.nowMs, `${node.id} refuses to start: ${reason}`);
    if (this.isChaotic) this.nemesis.refused(node);
  }

  crashed(node: SimulatedNode): void {
    this.trace.note(this.queue.nowMs, `${node.id} dies`);
    this.requests.closeAllOf(node);
    for (const invariant of this.invariants) invariant.crashed?.(node);
  }

  written(node: SimulatedNode, write: Persist): void {
    for (const invariant of this.invariants) invariant.written?.(node, write);
  }

  applied(node: SimulatedNode, index: number, data: Uint8Array): void {
    for (const invariant of this.invariants) invariant.applied?.(node, index, data);
  }

  stepped(node: SimulatedNode, process: Process, input: Input, outputs: readonly Output[]): void {
    this.steps += 1;
    this.trace.step(this.queue.nowMs, node, process, input, outputs);
    const { ctx } = process;
    const before = process.seen;
    const change = process.log.update(ctx.log);
    const committedBefore = this.ledger.lastIndex;
    if (ctx.commit > committedBefore && before.role === 'leader')
      this.extendLedger(node, process, before.term);
    const step = { node, process, ctx, input, outputs, before, change, committedBefore };
    for (const check of this.checksOfSteps) check(step);
    notePointers(process.seen, ctx);
  }

  /** Adds what a leader declares committed to the record. The invariants judge whether it may. */
  private extendLedger(node: SimulatedNode, process: Process, committedInTerm: number): void {
    const { ctx } = process;
    const quorums = quorumsOf(ctx.configurations.latest.configuration);
    for (let index = this.ledger.lastIndex + 1; index <= ctx.commit; index++) {
      const entry = ctx.log.get(index);
      const data = node.dataOf(ctx, index);
      if (!entry || !data) return;
      const { term, kind, chainHash } = entry;
      this.ledger.append({ index, term, kind, chainHash, data, committedInTerm, quorums });
    }
  }
}

import { pino, type Logger } from 'pino';
import { Violation } from '../../../raft/evidence/checks/violation.js';
import type { CoreStatus, Member } from '../../../raft/index.js';
import { Prng } from '../../../raft/testing/prng.js';
import { BlockStore, nameOf, payloadOf, type Block } from './chain/block-store.js';
import type { L1View } from './chain/l1-chain.js';
import { Links } from './cluster/links.js';
import { RaftNetwork } from './cluster/raft-network.js';
import type { ConductorSettings } from './conductor-process.js';
import { everyInvariant } from './invariants/every-invariant.js';
import type { Evidence, Invariant } from './invariants/invariant.js';
import { L1OfAll } from './l1-of-all.js';
import { Ledger } from './ledger.js';
import { Machine, type MachineEnvironment } from './machine.js';
import { ExecutionClient } from './node/execution-client.js';
import type { Watcher } from './observed-machine.js';
import type { SimulationOptions } from './options.js';
import { EPOCH_MS, VirtualClock } from './time/virtual-clock.js';
import type { Trace } from './trace.js';

/** The origin of the earlier chain is this far behind L1's head. */
const ORIGIN_DEPTH = 8;
const GOSSIP_BYTES = 2000;
/** How often invariants check lasting states. */
const LOOK_EVERY_MS = 500;
/** Longest time from the finding of a probe to the resulting election. */
const EVIDENCE_LASTS_MS = 1000;

/** A whole cluster in one thread, on virtual time. Everything in it follows from the seed. */
export class World implements Evidence, Watcher {
  readonly blocks = new BlockStore();
  private readonly l1OfAll: L1OfAll;
  readonly ledger = new Ledger();
  readonly raftLinks: Links;
  readonly gossipLinks: Links;
  readonly network: RaftNetwork;
  readonly machines: readonly Machine[];
  /** Counts of events, by name. */
  readonly counts = new Map<string, number>();
  violation: Violation | undefined;
  calmSinceMs: number | undefined;
  /** Machines that stay broken during the calm. */
  readonly impaired = new Set<Machine>();
  private readonly invariants: readonly Invariant[];

  constructor(
    readonly clock: VirtualClock,
    readonly rng: Prng,
    /** What was drawn from the seed; calmer after the faults. */
    public options: SimulationOptions,
    readonly trace: Trace,
    flowWindowMs: number,
    /** Invariants that are not checked. */
    ignored: ReadonlySet<string>,
  ) {
    const { timing, blockTimeS } = options;
    this.raftLinks = new Links(clock, rng, options.raftLinks);
    this.gossipLinks = new Links(clock, rng, options.gossip);
    const bulk = Math.max(1000, timing.electionTimeoutMs);
    this.network = new RaftNetwork(clock, this.raftLinks, {
      control: timing.electionTimeoutMs,
      bulk,
      snapshot: 10_000,
    });
    this.l1OfAll = new L1OfAll({
      ...{ clock, rng, blocks: this.blocks },
      options: () => this.options.l1,
      machines: () => this.machines,
      leader: () => this.leader,
    });
    this.machines = this.createMachines();
    this.invariants = everyInvariant(this, { blockTimeS, flowWindowMs }).filter(
      ({ name }) => !ignored.has(name),
    );
  }

  get l1(): L1View {
    return this.l1OfAll.view;
  }

  get nowMs(): number {
    return this.clock.nowMs;
  }

  /** The machine whose conductor leads in the latest term, if any. */
  get leader(): Machine | undefined {
    return this.machines
      .filter(({ leads }) => leads)
      .sort((a, b) => termOf(b) - termOf(a))
      .at(0);
  }

  get sound(): readonly Machine[] {
    return this.machines.filter(
      (machine) =>
        machine.conductor && machine.opNode && machine.execution.isRunning && !this.impaired.has(machine),
    );
  }

  /** Starts everything and founds a cluster. */
  async begin(): Promise<void> {
    const { foundedAfterMs } = this.options;
    for (const machine of this.machines) {
      machine.startOpNode(foundedAfterMs > 0 && machine === this.machines[0]);
      await machine.startConductor();
    }
    if (foundedAfterMs > 0) await this.clock.sleep(foundedAfterMs);
    if (this.machines[0]?.sequences) this.count('founded beside a sequencer that runs');
    const members: Member[] = this.machines.map(({ nodeId, conductor }) => ({
      id: nodeId,
      address: `${nodeId}:50050`,
      incarnation: conductor?.raft.identity.incarnation as string,
      voter: true,
    }));
    await (this.machines[0] as Machine).conductor?.raft.bootstrap(members);
    this.l1OfAll.grow();
    if (this.options.witness) this.lookOn();
  }

  private lookOn(): void {
    this.clock.after(LOOK_EVERY_MS, () => {
      this.tell((invariant) => invariant.passed?.());
      this.lookOn();
    });
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  /** Something happened that no part of the world intended. */
  note(who: string, what: string): void {
    this.trace.note(who, what);
  }

  fail(violation: Violation): void {
    if (this.violation) return;
    this.violation = violation;
    // Without the stack, which only a printing replay has: both must have the same hash.
    this.trace.note('world', `VIOLATION ${violation.message.split('\n', 1)[0]}`);
  }

  /** What would be wrong now if the run ended here. */
  problemAtEnd(): Violation | undefined {
    return violationIn(() => this.invariants.forEach((invariant) => invariant.atEnd?.()));
  }

  /** An op-node of another network commits its block with this conductor. */
  commitOfStranger({ head, conductor }: Machine): void {
    const details = {
      timestamp: head.timestamp,
      l1Origin: head.l1Origin,
      builder: 'stranger',
      transactionBytes: 0,
    };
    const block = this.blocks.invent(head.number + 1000, details);
    void conductor?.conductor.commitUnsafePayload(payloadOf(block)).catch(() => undefined);
  }

  /** L1 replaces its newest blocks. */
  reorgL1(depth: number): void {
    this.note('world', `L1 replaces ${depth} blocks`);
    this.l1OfAll.reorg(depth);
  }

  readonly applied: Watcher['applied'] = (nodeId, entry, ...what) => {
    const first = this.ledger.before(entry.index);
    const applied = this.ledger.applied(entry, ...what);
    const { verdict, block } = applied;
    if (!first) this.count(`verdict: ${verdict}`);
    this.note(nodeId, `applies ${entry.index}: ${block ? nameOf(block) : 'no block'}, ${verdict}`);
    this.tell((invariant) => invariant.applied?.(nodeId, applied, first ?? applied));
  };

  role(nodeId: string, role: CoreStatus['role'], term: number): void {
    const machine = this.machine(nodeId);
    if (machine.isWitness && role === 'leader') this.count('witness elected');
    machine.noteRole(role);
    this.roleOf(nodeId, role, term);
  }

  private roleOf(who: string, role: CoreStatus['role'], term: number): void {
    this.ledger.leads(who, role, term);
    this.note(who, `is ${role} in term ${term}`);
    if (role !== 'leader') return;
    this.count('leader elected');
    this.tell((invariant) => invariant.led?.(who, term));
  }

  refused(from: string, to: string): boolean {
    return this.raftLinks.hasRefused(from, to, EVIDENCE_LASTS_MS);
  }

  isDisturbed(from: string, to: string): boolean {
    return this.raftLinks.isBroken(from, to) || this.raftLinks.isBroken(to, from);
  }

  leaderGone(nodeId: string): void {
    this.count('leader gone');
    this.note(nodeId, 'stands for election, as its leader is gone');
    const { leader } = this;
    if (leader && leader.nodeId !== nodeId) this.tell((invariant) => invariant.evidenceOf?.(nodeId, leader));
  }

  identityUsedTwice(nodeId: string, peer: string): void {
    this.count('identity used twice');
    this.note(nodeId, `hears two processes that speak for ${peer}`);
  }

  faulted(): void {
    this.tell((invariant) => invariant.faulted?.());
  }

  startKnown(nodeId: string): void {
    this.tell((invariant) => invariant.startKnown?.(nodeId));
  }

  transferred(nodeId: string, success: boolean): void {
    this.count('transfer');
    this.note(nodeId, `hands over: ${success ? 'done' : 'failed'}`);
    this.tell((invariant) => invariant.transferred?.(nodeId, success));
  }

  machine(nodeId: string): Machine {
    return this.machines.find((machine) => machine.nodeId === nodeId) as Machine;
  }

  private tell(event: (invariant: Invariant) => void): void {
    if (this.violation) return;
    const violation = violationIn(() => this.invariants.forEach(event));
    if (violation) this.fail(violation);
  }

  private createMachines(): Machine[] {
    const { nodes, past, blockTimeS } = this.options;
    const chain: Block[] = [];
    for (let number = 0; number <= past.height; number++) {
      const timestamp = EPOCH_MS / 1000 - (past.height - number) * blockTimeS;
      const l1Origin = this.l1.at(this.l1.head.number - ORIGIN_DEPTH) as Block['l1Origin'];
      const details = { timestamp, l1Origin, builder: 'past', transactionBytes: 0 };
      chain.push(this.blocks.seal(chain.at(-1) ?? null, details));
    }
    this.l1OfAll.begin(chain[0] as Block);
    for (const block of chain) this.ledger.published(block, 'the past', 0);
    return Array.from({ length: nodes }, (_, slot) => {
      const own = chain.slice(0, Math.max(1, chain.length - (past.behind[slot] ?? 0)));
      return this.createMachine(`n${slot + 1}`, own);
    });
  }

  private createMachine(nodeId: string, chain: readonly Block[]): Machine {
    const { clock, rng, blocks } = this;
    const execution = new ExecutionClient(chain, {
      blocks,
      importMs: () => rng.exponential(this.options.node.importMeanMs),
      sleep: (ms) => clock.sleep(ms),
    });
    return new Machine(nodeId, execution, this.environmentOf(nodeId));
  }

  private environmentOf(nodeId: string): MachineEnvironment {
    const { clock, rng, blocks, network } = this;
    return {
      ...{ clock, blocks, network, watcher: this },
      settings: this.settings(nodeId),
      blockTimeS: this.options.blockTimeS,
      l1Confirmations: this.options.node.l1Confirmations,
      l1: () => this.l1OfAll.viewOf(nodeId),
      safeHead: () => this.l1OfAll.safeHead(this.l1OfAll.viewOf(nodeId)),
      overruled: () => {
        this.count('overruled by L1');
        this.note(nodeId, 'has another chain than L1 tells');
      },
      sealsAnew: () => rng.chance(this.options.node.sealsAnewChance),
      transactionBytes: () => rng.int(0, this.options.node.transactionBytesMax),
      noticeMs: () => rng.exponential(this.options.node.noticeMeanMs),
      latencyMs: () => 0.05 + rng.exponential(this.options.node.callMeanMs),
      called: () => this.tell((invariant) => invariant.called?.(this.machine(nodeId))),
      losesPost: () => rng.chance(this.options.node.losesPostChance),
      losesAnswer: () => rng.chance(this.options.node.losesAnswerChance),
      peers: () => this.machines.length,
      diskOptions: {
        writeMs: () => 0.1 + rng.exponential(this.options.disk.writeMeanMs),
        survivesDeath: () => rng.chance(this.options.disk.survivesDeathChance),
      },
      logger: this.loggerOf(nodeId),
      onFatal: (error) => this.fail(new Violation('crash', `${nodeId}: ${error.stack ?? error.message}`)),
      requestRange: (above, below, deliver) => this.requestRange(nodeId, above, below, deliver),
      publish: (block) => this.publish(nodeId, block),
      sealed: (block) => this.note(nodeId, `seals ${nameOf(block)}`),
      posted: (block) => {
        this.count('post');
        this.note(nodeId, `is posted ${nameOf(block)}`);
        this.tell((invariant) => invariant.posted?.(this.machine(nodeId), block));
      },
      sequencerStarted: (head, by) => {
        this.count(`sequencer started by ${by}`);
        this.note(nodeId, `op-node sequences on ${head ? nameOf(head) : 'what it will find'}, by ${by}`);
        if (by === 'conductor' && head)
          this.tell((invariant) => invariant.started?.(this.machine(nodeId), head));
      },
      sequencerStopped: () => {
        this.note(nodeId, 'op-node sequences no more');
        this.tell((invariant) => invariant.stopped?.(this.machine(nodeId)));
      },
      retired: () => {
        this.note(nodeId, 'its conductor ends, and has not told op-node to stop');
        this.tell((invariant) => invariant.leftUntold?.(this.machine(nodeId)));
      },
      strangerOn: (place) => ({
        logger: this.loggerOf(place),
        onFatal: (error) => this.note(place, `ends: ${error.message}`),
        watcher: {
          applied: (_, ...what) => this.applied(place, ...what),
          role: (_, role, term) => this.roleOf(place, role, term),
          leaderGone: () => this.note(place, 'stands for election, as its leader is gone'),
          identityUsedTwice: (_, peer) => this.identityUsedTwice(place, peer),
          startKnown: () => undefined,
          transferred: (_, success) => this.note(place, `hands over: ${success ? 'done' : 'failed'}`),
        },
      }),
      reset: (head) => {
        this.count('op-node reset');
        this.note(nodeId, `op-node is at ${head ? nameOf(head) : 'no head'} after a reset`);
      },
    };
  }

  private settings(nodeId: string): ConductorSettings {
    const { timing, conductor, witness, nodes } = this.options;
    const { healthIntervalMs, retainedEntries, ...others } = conductor;
    return {
      ...{ ...others, timing, healthIntervalMs },
      isWitness: witness && nodeId === `n${nodes}`,
      pollMs: Math.min(250, healthIntervalMs),
      limits: {
        uncommittedBytesMax: 64 << 20,
        uncommittedEntriesMax: 64,
        inflightRequestsMax: 2,
        inflightBytesMax: 4 << 20,
        appendBytesMax: 1 << 20,
        cacheBytesMax: 1 << 20,
      },
      retention: { bytesMax: 1 << 30, entriesMax: retainedEntries },
    };
  }

  /** The decisions of conductors are part of the trace and its hash. */
  private loggerOf(nodeId: string): Logger {
    const write = (text: string): void => {
      const { msg, action, reason, err } = JSON.parse(text) as Record<string, unknown>;
      const details = [action, reason, err && (err as { message: string }).message].filter(Boolean);
      this.note(nodeId, `${String(msg)}${details.length > 0 ? `: ${details.join(', ')}` : ''}`);
    };
    return pino({ level: 'info', base: null, timestamp: false }, { write });
  }

  private publish(nodeId: string, block: Block): void {
    this.count('block published');
    this.note(nodeId, `publishes ${nameOf(block)}`);
    const acknowledged = this.ledger.published(block, nodeId, this.nowMs);
    this.tell((invariant) => invariant.published?.(acknowledged));
    for (const other of this.machines) {
      if (other.nodeId === nodeId) continue;
      this.gossipLinks.carry(nodeId, other.nodeId, GOSSIP_BYTES, undefined, () =>
        other.opNode?.receive(block),
      );
    }
  }

  private requestRange(nodeId: string, above: Block, below: Block, deliver: (block: Block) => void): void {
    const helpers = this.machines.filter(
      ({ nodeId: other, opNode, execution, head }) =>
        other !== nodeId &&
        opNode &&
        execution.isRunning &&
        !this.gossipLinks.isCut(other, nodeId) &&
        this.blocks.ancestorAt(head, below.number - 1)?.hash === below.parentHash,
    );
    const helper = this.rng.pick(helpers);
    if (!helper) return;
    for (let number = above.number + 1; number < below.number; number++) {
      const block = this.blocks.ancestorAt(helper.head, number) as Block;
      this.gossipLinks.carry(helper.nodeId, nodeId, GOSSIP_BYTES, undefined, () => deliver(block));
    }
  }
}

const termOf = (machine: Machine): number => machine.conductor?.raft.status().term ?? 0;

function violationIn(check: () => void): Violation | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof Violation) return error;
    throw error;
  }
}

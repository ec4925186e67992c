import type { NodeId } from '../../core/configuration.js';
import { hinder, slowDownMajority } from './gray-failures.js';
import type { Network } from './network.js';
import type { NodeEnvironment } from './node-environment.js';
import type { SimulatedNode } from './node.js';
import { olderStates } from './older-states.js';
import type { Workload, WorkloadEnvironment } from './workload.js';

/** What the nemesis needs of the world that it breaks. */
interface NemesisEnvironment extends WorkloadEnvironment, Pick<NodeEnvironment, 'trace' | 'mayLoseDisk'> {
  readonly node: (id: NodeId) => SimulatedNode;
  readonly network: Network;
  readonly workload: Workload;
}

/** How often the nemesis looks for a chance to restore a disk state with other entries. */
const PATIENCE = 400;

/** Breaks things at random, each for a while. */
export class Nemesis {
  constructor(private readonly world: NemesisEnvironment) {}

  start(phase: number): void {
    const { rng, queue, options } = this.world;
    queue.after(rng.exponential(options.faults.meanIntervalMs), () => {
      if (this.world.phase !== phase) return;
      this.strike();
      this.start(phase);
    });
  }

  private strike(): void {
    const { rng, options, nodes } = this.world;
    const { weights } = options.faults;
    const faults: [number, () => void][] = [
      [weights.crash, () => this.crash(this.victim())],
      [weights.crashAll, () => nodes.forEach((node) => this.crash(node))],
      [weights.pause, () => this.pause(this.victim(), rng.exponential(options.faults.pauseMeanMs))],
      [weights.partition, () => this.partition()],
      [weights.clog, () => this.clog()],
      [weights.suspend, () => this.suspend(this.victim())],
      [weights.slowDisk, () => this.slowDisk(this.victim())],
      [weights.diskFull, () => this.diskFull(this.victim())],
      [weights.loseDisk, () => this.loseDisk(this.victim())],
      [weights.outliveDisk, () => this.outliveDisk()],
      [weights.goBack, () => this.goBack()],
      [weights.clockLeap, () => this.leapClock(this.victim())],
      [weights.clockDrift, () => this.driftClock(this.victim())],
      [weights.usurp, () => this.usurp()],
      [weights.strand, () => this.strandLeader()],
      [weights.hinder, () => hinder(this.world, this.victim())],
      [weights.slowMajority, () => slowDownMajority(this.world)],
    ];
    let draw = rng.next() * faults.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, strike] of faults) {
      if (draw < weight) return strike();
      draw -= weight;
    }
  }

  private victim(): SimulatedNode {
    const { rng, options, nodes, leader } = this.world;
    if (leader && rng.chance(options.faults.leaderBias)) return leader;
    return nodes[rng.int(0, nodes.length - 1)] as SimulatedNode;
  }

  /** Kills the process and starts another later. */
  crash(node: SimulatedNode, downMs = this.downMs()): void {
    if (!node.isRunning) return;
    this.world.count('crash');
    node.crash();
    if (this.world.network.options.evidence) this.spreadTheNews(node);
    this.startLater(node, downMs);
  }

  private downMs(): number {
    return this.world.rng.exponential(this.world.options.faults.downMeanMs);
  }

  private startLater(node: SimulatedNode, afterMs: number): void {
    const { world } = this;
    const { phase } = world;
    world.queue.after(afterMs, () => {
      if (world.phase === phase && !node.isRunning) node.start();
    });
  }

  /** A process did not start because its disk is damaged. Usually the node then gets an empty one. */
  refused(node: SimulatedNode): void {
    const { world } = this;
    if (world.rng.chance(0.3)) return;
    const { phase } = world;
    world.queue.after(this.downMs(), () => {
      if (world.phase !== phase || !node.diskIsLost) return;
      this.replaceDisk(node);
      node.start();
    });
  }

  private loseDisk(node: SimulatedNode): void {
    const { world } = this;
    if (!node.isRunning || !world.mayLoseDisk(node)) return;
    this.crash(node);
    if (world.rng.chance(0.5)) {
      world.count('bit rot');
      world.trace.note(world.queue.nowMs, `a record of ${node.id} rots`);
      node.rot();
    } else {
      this.replaceDisk(node);
    }
  }

  /** The acknowledgement of a follower arrives when its name already stands for a new, empty disk. */
  private outliveDisk(): void {
    const { world } = this;
    const { rng, queue, phase, nodes } = world;
    const { electionTimeoutMs, heartbeatIntervalMs } = world.options.timing;
    const node = rng.pick(nodes.filter((other) => other !== world.leader)) as SimulatedNode;
    const lateMs = electionTimeoutMs * rng.between(1, 3);
    for (const other of nodes) world.network.clogLink(node, other, queue.nowMs + lateMs);
    const lostMs = heartbeatIntervalMs * rng.next();
    queue.after(lostMs, () => {
      if (world.phase !== phase || !node.isRunning || !world.mayLoseDisk(node)) return;
      world.count('last words of a disk');
      this.crash(node, (heartbeatIntervalMs * rng.next()) / 2);
      this.replaceDisk(node);
    });
    for (let repairs = 6; repairs > 0; repairs--) {
      queue.after(rng.between(lostMs, lateMs), () => {
        if (world.phase === phase && world.leader) world.workload.repair(world.leader);
      });
    }
  }

  private replaceDisk(node: SimulatedNode): void {
    this.world.count('empty disk under an old name');
    this.world.trace.note(this.world.queue.nowMs, `${node.id} gets an empty disk`);
    node.replaceDisk();
  }

  /**
   * A volume is restored to a snapshot that lacks what the node has acknowledged to the leader since. A snapshot with other
   * entries in their place is worth waiting for; otherwise a shorter one is used.
   */
  private goBack(attempts = PATIENCE): void {
    const { world } = this;
    const { rng, nodes, leader, phase } = world;
    const chances = leader ? nodes.flatMap((node) => olderStates(node, leader)) : [];
    const turned = chances.filter(({ isShorter }) => !isShorter);
    const chosen = rng.pick(turned.length > 0 || attempts > 0 ? turned : chances);
    if (!chosen || !leader || !world.mayLoseDisk(chosen.node)) {
      if (attempts === PATIENCE) this.prepareOlderStates();
      if (attempts === 0) return;
      world.queue.after(world.options.timing.heartbeatIntervalMs / 10, () => {
        if (world.phase === phase) this.goBack(attempts - 1);
      });
      return;
    }
    const { node, copy, term } = chosen;
    world.count(chosen.isShorter ? 'disk went back' : 'disk went back to other entries');
    world.trace.note(world.queue.nowMs, `the disk of ${node.id} goes back to entry ${copy.lastIndex}`);
    this.crash(node);
    node.goBack(copy, leader.id, term);
    this.heed(node);
  }

  /** An isolated leader accepts proposals that others will replace, and a snapshot of a disk is kept. */
  private prepareOlderStates(): void {
    const { world } = this;
    const { rng, nodes, leader, queue, phase } = world;
    rng.pick(nodes)?.keepCopy();
    if (!leader) return;
    this.strand(leader, 0);
    for (let proposals = rng.int(2, 20); proposals > 0; proposals--) {
      queue.after(rng.between(0, world.options.timing.leaseTimeoutMs / 2), () => {
        if (world.phase === phase && leader.leads && leader.isAwake) world.workload.propose(leader);
      });
    }
  }

  /** After a while an operator sees the alarm and gives the node an empty disk, unless nobody can raise it. */
  private heed(node: SimulatedNode): void {
    const { world } = this;
    const { phase } = world;
    world.queue.after(world.options.timing.heartbeatIntervalMs, () => {
      if (world.phase !== phase || !node.wentBackFrom) return;
      const { leader, term } = node.wentBackFrom;
      const isKnown = !node.mayBeBelieved;
      const ctx = world.node(leader).process?.ctx;
      const mayBeTold = ctx?.role === 'leader' && ctx.term === term;
      if (isKnown ? world.rng.chance(0.97) : mayBeTold) return this.heed(node);
      if (isKnown) world.count('alarm of a disk that went back');
      node.crash();
      this.replaceDisk(node);
      node.start();
    });
  }

  private diskFull(node: SimulatedNode): void {
    const { world } = this;
    node.diskIsFull = true;
    world.queue.after(world.rng.exponential(world.options.faults.slowDiskMeanMs), () => {
      node.diskIsFull = false;
    });
  }

  private leapClock(node: SimulatedNode): void {
    const { world } = this;
    world.count('leaping clock');
    node.clock.leapMs(world.rng.exponential(world.options.faults.pauseMeanMs));
    node.timer.restart();
  }

  private driftClock(node: SimulatedNode): void {
    const { world } = this;
    world.count('drifting clock');
    this.hasten(node, world.rng.between(0.5, 2), world.rng.exponential(world.options.faults.pauseMeanMs));
  }

  private hasten(node: SimulatedNode, factor: number, forMs: number): void {
    const { queue } = this.world;
    node.clock.hasten(queue.nowMs, factor);
    node.timer.restart();
    queue.after(forMs, () => {
      node.clock.hasten(queue.nowMs, 1);
      node.timer.restart();
    });
  }

  /**
   * The leader is cut off. Only earlier messages of the others reach it, late. Meanwhile they restart and so forget their
   * loyalty, and a fast clock makes one of them impatient. A successor is elected before the leader's trust in itself
   * ends, and then only a confirmed read is right.
   */
  private usurp(): void {
    const { world } = this;
    const { rng, queue, options, leader, nodes, phase } = world;
    const heir = rng.pick(nodes.filter((node) => node !== leader && node.isAwake));
    if (!leader || !heir) return;
    world.count('usurper');
    const { electionTimeoutMs, heartbeatIntervalMs } = options.timing;
    const aloneMs = this.strand(leader, heartbeatIntervalMs * rng.between(0, 1));
    for (const node of nodes) {
      if (node !== leader && node !== heir) this.crash(node, rng.between(0, heartbeatIntervalMs));
    }
    this.hasten(heir, rng.between(2, 8), electionTimeoutMs);
    for (let reads = rng.int(1, 6); reads > 0; reads--) {
      queue.after(rng.between(0, aloneMs), () => {
        if (world.phase !== phase || !leader.leads || !leader.isAwake) return;
        if (world.leader !== leader) world.count('read from a leader that is replaced');
        world.workload.read(leader);
      });
    }
  }

  /** Including one that is about to transfer leadership. */
  private strandLeader(): void {
    const { world } = this;
    const { rng, options } = world;
    const victim = this.victim();
    world.count('stranded leader');
    if (options.workload.weights.transfer > 0 && victim.leads && rng.chance(0.5)) {
      world.workload.transfer(victim);
    }
    this.strand(victim, options.timing.electionTimeoutMs * rng.between(0, 0.5));
  }

  /** Cuts off a node after a while. What was sent to it until then arrives late. Returns how late. */
  private strand(node: SimulatedNode, afterMs: number): number {
    const { world } = this;
    const { rng, queue, phase, nodes } = world;
    const { electionTimeoutMs } = world.options.timing;
    const lateMs = electionTimeoutMs * rng.between(0.2, 1);
    world.trace.note(queue.nowMs, `${node.id} is stranded`);
    for (const other of nodes) world.network.clogLink(other, node, queue.nowMs + lateMs);
    queue.after(afterMs, () => {
      if (world.phase !== phase) return;
      this.cut((from, to) => from === node || to === node, electionTimeoutMs * rng.between(1, 3));
    });
    return lateMs;
  }

  /** The kernel closes the connections of a dead process. A peer that probes it then is refused, and knows. */
  private spreadTheNews(dead: SimulatedNode): void {
    const { world } = this;
    for (const node of world.nodes) {
      if (node === dead || world.rng.chance(0.3)) continue;
      world.queue.after(world.rng.exponential(2), () => {
        if (dead.isRunning || world.network.isCut(node, dead) || world.network.isCut(dead, node)) return;
        world.count('evidence of death');
        node.receive({ type: 'peerGone', peer: dead.id });
      });
    }
  }

  private pause(node: SimulatedNode, forMs: number): void {
    const { world } = this;
    const { process } = node;
    if (!node.isAwake) return;
    world.count('pause');
    world.trace.note(world.queue.nowMs, `${node.id} stands still`);
    node.pause();
    world.queue.after(forMs, () => {
      if (node.process === process) node.resume();
    });
  }

  private partition(): void {
    const { world } = this;
    const { rng, nodes } = world;
    const one = this.victim();
    const other = nodes[rng.int(0, nodes.length - 1)] as SimulatedNode;
    const side = new Set(nodes.filter(() => rng.chance(0.5)));
    const shapes: [string, (from: SimulatedNode, to: SimulatedNode) => boolean][] = [
      ['isolate', (from, to) => from === one || to === one],
      ['deafen', (_, to) => to === one],
      ['mute', (from) => from === one],
      ['split', (from, to) => side.has(from) !== side.has(to)],
      ['one-way split', (from, to) => side.has(from) && !side.has(to)],
      ['cut a pair', (from, to) => (from === one && to === other) || (from === other && to === one)],
      ['cut a link', (from, to) => from === one && to === other],
    ];
    const [name, isCut] = shapes[rng.int(0, shapes.length - 1)] as (typeof shapes)[number];
    world.count(`partition: ${name}`);
    world.trace.note(world.queue.nowMs, `partition: ${name} ${one.id}`);
    this.cut(isCut, rng.exponential(world.options.faults.partitionMeanMs));
  }

  private cut(isCut: (from: SimulatedNode, to: SimulatedNode) => boolean, forMs: number): void {
    const { world } = this;
    const links: [SimulatedNode, SimulatedNode][] = [];
    for (const from of world.nodes) {
      for (const to of world.nodes) if (from !== to && isCut(from, to)) links.push([from, to]);
    }
    for (const [from, to] of links) world.network.cutLink(from, to);
    const { phase } = world;
    world.queue.after(forMs, () => {
      if (world.phase !== phase) return;
      for (const [from, to] of links) world.network.mendLink(from, to);
    });
  }

  /** Messages to or from one node arrive after others that were sent much later. */
  private clog(): void {
    const { world } = this;
    const node = this.victim();
    const inbound = world.rng.chance(0.5);
    const untilMs = world.queue.nowMs + world.rng.exponential(world.options.faults.partitionMeanMs);
    world.count('clogged links');
    for (const other of world.nodes) {
      if (world.rng.chance(0.3)) continue;
      world.network.clogLink(inbound ? other : node, inbound ? node : other, untilMs);
    }
  }

  /** When it wakes up, the machine does not know yet what happened meanwhile. */
  private suspend(node: SimulatedNode): void {
    const { world } = this;
    if (!node.isAwake) return;
    const forMs = world.rng.exponential(world.options.faults.pauseMeanMs);
    world.count('suspended machine');
    this.cut(
      (from, to) => from === node || to === node,
      forMs + world.rng.exponential(world.options.timing.electionTimeoutMs),
    );
    this.pause(node, forMs);
  }

  private slowDisk(node: SimulatedNode): void {
    const { world } = this;
    world.count('slow disk');
    node.diskFactor = world.options.faults.slowDiskFactor;
    world.queue.after(world.rng.exponential(world.options.faults.slowDiskMeanMs), () => {
      node.diskFactor = 1;
    });
  }
}

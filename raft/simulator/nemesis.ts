import type { SimulatedNode } from './node.js';
import type { World } from './world.js';

/** Breaks things at random, each for a while. */
export class Nemesis {
  constructor(private readonly world: World) {}

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
  crash(node: SimulatedNode): void {
    const { world } = this;
    if (!node.isRunning) return;
    world.count('crash');
    node.crash();
    if (world.network.options.evidence) this.spreadTheNews(node);
    const { phase } = world;
    world.queue.after(world.rng.exponential(world.options.faults.downMeanMs), () => {
      if (world.phase === phase && !node.isRunning) node.start();
    });
  }

  /** The kernel closes the connections of a dead process; who looks then is refused, and knows. */
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

  /** Messages of one node, in or out, arrive after others that were sent much later. */
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

  /** When it wakes up, nobody has told the machine yet what happened meanwhile. */
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

import type { SimulatedNode } from './node.js';
import type { World } from './world.js';

/** Breaks things at random, each for a while. */
export class Nemesis {
  constructor(private readonly world: World) {}

  start(): void {
    const { rng, queue, options } = this.world;
    queue.after(rng.exponential(options.faults.meanIntervalMs), () => {
      if (!this.world.isChaotic) return;
      this.strike();
      this.start();
    });
  }

  private strike(): void {
    const { rng, options, nodes } = this.world;
    const { weights } = options.faults;
    const faults: [number, () => void][] = [
      [weights.crash, () => this.crash(this.victim())],
      [weights.crashAll, () => nodes.forEach((node) => this.crash(node))],
      [weights.pause, () => this.pause(this.victim())],
      [weights.partition, () => this.partition()],
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
    world.queue.after(world.rng.exponential(world.options.faults.downMeanMs), () => {
      if (world.isChaotic && !node.isRunning) node.start();
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

  private pause(node: SimulatedNode): void {
    const { world } = this;
    const { process } = node;
    if (!node.isAwake) return;
    world.count('pause');
    world.trace.note(world.queue.nowMs, `${node.id} stands still`);
    node.pause();
    world.queue.after(world.rng.exponential(world.options.faults.pauseMeanMs), () => {
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
    const links: [SimulatedNode, SimulatedNode][] = [];
    for (const from of nodes) {
      for (const to of nodes) if (from !== to && isCut(from, to)) links.push([from, to]);
    }
    for (const [from, to] of links) world.network.cutLink(from, to);
    world.queue.after(rng.exponential(world.options.faults.partitionMeanMs), () => {
      if (!world.isChaotic) return;
      for (const [from, to] of links) world.network.mendLink(from, to);
    });
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

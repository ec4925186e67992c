import type { Prng } from '../../testing/prng.js';
import type { Hindrance } from './hindrances.js';
import type { Network } from './network.js';
import type { NodeEnvironment } from './node-environment.js';
import type { SimulatedNode } from './node.js';

/** What these failures need of the world. */
interface Environment extends Pick<NodeEnvironment, 'queue' | 'rng' | 'options' | 'trace' | 'count'> {
  readonly nodes: readonly SimulatedNode[];
  readonly network: Network;
  readonly phase: number;
}

/** Of a small proposal. */
const PROPOSAL_BYTES = 64;

/** Heartbeats pass, but entries hardly or not at all: from this node, to it, or on one of its links. */
export function hinder(world: Environment, one: SimulatedNode): void {
  const { rng, nodes, queue, phase, network } = world;
  const { electionTimeoutMs } = world.options.timing;
  const other = nodes[rng.int(0, nodes.length - 1)] as SimulatedNode;
  const [name, hindrance] = rng.pick<[string, Hindrance]>([
    ['large frames are lost', { lossAbove: rng.pick([100, 170, 300]) }],
    ['slow link', { bytesPerMs: (rng.between(0.2, 4) * PROPOSAL_BYTES) / electionTimeoutMs }],
    ['no new connections', { noNewConnections: true }],
  ]);
  const [shape, isMeant] = rng.pick<[string, (from: SimulatedNode, to: SimulatedNode) => boolean]>([
    ['from', (from) => from === one],
    ['to', (_, to) => to === one],
    ['from and to', (from, to) => from === one || to === one],
    ['on a link of', (from, to) => from === one && to === other],
  ]);
  world.count(`hindered: ${name}`);
  world.trace.note(queue.nowMs, `${name} ${shape} ${one.id}`);
  const links = nodes.flatMap((from) =>
    nodes.filter((to) => from !== to && isMeant(from, to)).map((to) => [from, to] as const),
  );
  for (const [from, to] of links) network.hinderLink(from, to, hindrance);
  queue.after(rng.exponential(8 * electionTimeoutMs), () => {
    if (world.phase !== phase) return;
    for (const [from, to] of links) network.freeLink(from, to);
  });
}

/** Writes of a majority take about as long as elections. */
export function slowDownMajority(world: Environment): void {
  const { rng, options, queue } = world;
  const { electionTimeoutMs } = options.timing;
  const forMs = rng.exponential(12 * electionTimeoutMs);
  world.count('slow disks of a majority');
  for (const node of majorityOf(world.nodes, rng)) {
    node.diskFactor = Math.max(1, (rng.between(0.5, 6) * electionTimeoutMs) / options.disk.writeMeanMs);
    queue.after(forMs, () => {
      node.diskFactor = 1;
    });
  }
}

/** More than half of these nodes. */
export function majorityOf(nodes: readonly SimulatedNode[], rng: Prng): SimulatedNode[] {
  const left = [...nodes];
  const majority = Math.floor(nodes.length / 2) + 1;
  while (left.length > majority && rng.chance(0.7)) left.splice(rng.int(0, left.length - 1), 1);
  return left;
}

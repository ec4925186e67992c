import type { MembershipChange } from '../../core/configuration-change.js';
import type { NodeId } from '../../core/configuration.js';
import { crc32 } from '../../core/crc32.js';
import { clusterTimingOf } from '../../core/timing.js';
import { writeNumber } from './big-endian.js';
import type { RequestKind } from './client-requests.js';
import { addressOf } from './identity.js';
import type { NodeEnvironment } from './node-environment.js';
import type { SimulatedNode } from './node.js';

/** What the workload needs of the world. */
export interface WorkloadEnvironment extends Pick<
  NodeEnvironment,
  'queue' | 'rng' | 'options' | 'count' | 'requests'
> {
  readonly nodes: readonly SimulatedNode[];
  readonly node: (id: NodeId) => SimulatedNode;
  /** The leader of the latest term, if it is awake. */
  readonly leader: SimulatedNode | undefined;
  /** Incremented with every change between chaos and healing. */
  readonly phase: number;
}

/** Random requests of clients and operators to the cluster. */
export class Workload {
  constructor(private readonly world: WorkloadEnvironment) {}

  start(phase: number): void {
    const { rng, queue, options } = this.world;
    queue.after(rng.exponential(options.workload.meanIntervalMs), () => {
      if (this.world.phase !== phase) return;
      const node = this.addressee();
      if (node) this.ask(node);
      this.start(phase);
    });
  }

  /** Usually the leader; sometimes a node that only believes that it leads, or any node. */
  private addressee(): SimulatedNode | undefined {
    const { rng, nodes, leader, options } = this.world;
    if (leader && !rng.chance(options.workload.strayChance)) return leader;
    const believers = nodes.filter((node) => node.leads && node !== leader);
    const node = rng.pick(believers.length > 0 && rng.chance(0.7) ? believers : nodes);
    return node?.isRunning ? node : undefined;
  }

  private ask(node: SimulatedNode): void {
    const { rng, options } = this.world;
    const { weights } = options.workload;
    const kinds: [number, () => void][] = [
      [weights.propose, () => this.propose(node)],
      [weights.read, () => this.read(node)],
      [weights.transfer, () => this.transfer(node)],
      [weights.membership, () => this.changeMembership(node)],
      [weights.repair, () => this.repair(node)],
      [weights.eligibility, () => node.receive({ type: 'eligibility', value: rng.int(0, 2) })],
    ];
    let draw = rng.next() * kinds.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, ask] of kinds) {
      if (draw < weight) return ask();
      draw -= weight;
    }
  }

  /** Every proposal has different bytes, because it begins with its number. */
  propose(node: SimulatedNode): number {
    const { rng, options } = this.world;
    const id = this.open('propose', node);
    const bytesMax = options.workload.proposalBytesMax;
    const data = new Uint8Array(rng.chance(0.2) ? bytesMax : rng.int(4, Math.min(bytesMax, 64)));
    writeNumber(data, id);
    node.receive({ type: 'propose', id, data, crc: crc32(data) });
    return id;
  }

  read(node: SimulatedNode): void {
    node.receive({ type: 'read', id: this.open('read', node) });
  }

  transfer(node: SimulatedNode): void {
    const { rng, nodes } = this.world;
    const to = rng.chance(0.3) ? undefined : nodes[rng.int(0, nodes.length - 1)]?.id;
    // Whether or not the preparation is done by now: the client may give up.
    if (to !== undefined && rng.chance(0.5)) {
      node.receive({ type: 'prepareTransfer', id: this.open('prepare', node), to });
    }
    node.receive({ type: 'transfer', id: this.open('transfer', node), to });
  }

  private changeMembership(node: SimulatedNode): void {
    const { rng, nodes, options } = this.world;
    const latest = node.process?.ctx.configurations.latest;
    const voters = latest?.configuration.members.filter((member) => member.voter).length ?? 0;
    const { id } = nodes[rng.int(0, nodes.length - 1)] as SimulatedNode;
    // Clusters below their initial size grow more often than they shrink.
    const type = rng.chance(voters < options.cluster.voters ? 0.7 : 0.3)
      ? 'addVoter'
      : rng.pick(['addVoter', 'addNonvoter', 'demote', 'remove'] as const);
    const address = rng.chance(0.95) ? addressOf(id) : `${addressOf(id)}1`;
    const change: MembershipChange =
      type === 'addVoter' || type === 'addNonvoter'
        ? { type, id, address, incarnation: this.world.node(id).incarnation }
        : { type, id };
    const expectedIndex = rng.chance(0.5) ? undefined : (latest?.index ?? 0) + (rng.chance(0.1) ? 1 : 0);
    if (rng.chance(0.1)) return this.setTiming(node);
    const asked = rng.chance(0.3) ? this.replacement(node) : change;
    const request = {
      id: this.open('membership', node),
      change: asked,
      expectedIndex,
      force: rng.chance(0.5),
    };
    node.receive({ type: 'changeMembership', ...request });
  }

  /** Faster or slower, but never slower than the timing that was drawn, which the bounds of the checks come from. */
  private setTiming(node: SimulatedNode): void {
    const { rng, options } = this.world;
    const { rankSlotMs, jitterMs, ...times } = clusterTimingOf(options.timing);
    const pace = rng.pick([0.6, 0.8, 1]);
    const faster = Object.fromEntries(Object.entries(times).map(([name, ms]) => [name, ms * pace]));
    const timing = { ...times, ...faster, rankSlotMs, jitterMs };
    node.receive({ type: 'setTiming', id: this.open('membership', node), timing, expectedIndex: undefined });
  }

  /** Replaces a voter by any node, usually by one that is not a voter yet. */
  private replacement(node: SimulatedNode): MembershipChange {
    const { rng, nodes } = this.world;
    const { members } = node.process?.ctx.configurations.latest.configuration ?? { members: [] };
    const voters = members.filter((member) => member.voter);
    const others = nodes.filter(({ id }) => !voters.some((voter) => voter.id === id));
    const newcomer = rng.pick(others.length > 0 && rng.chance(0.9) ? others : nodes) as SimulatedNode;
    const old = (voters.length > 0 ? rng.pick(voters) : rng.pick(nodes)) as { id: string };
    const { id, incarnation } = newcomer;
    return { type: 'replace', id: old.id, by: { id, address: addressOf(id), incarnation } };
  }

  /** One step towards a configuration that lists the existing disks. */
  repair(node: SimulatedNode): void {
    const { members } = node.process?.ctx.configurations.latest.configuration ?? { members: [] };
    const gone = members.find(({ id, incarnation }) => this.world.node(id).incarnation !== incarnation);
    const found = this.world.nodes.find(
      ({ id, isRunning }) => isRunning && members.length > 0 && !members.some((member) => member.id === id),
    );
    let change: MembershipChange;
    if (gone) change = { type: 'remove', id: gone.id };
    else if (found) {
      const { id, incarnation } = found;
      change = { type: 'addVoter', id, address: addressOf(id), incarnation };
    } else return;
    const id = this.open('membership', node);
    node.receive({ type: 'changeMembership', id, change, expectedIndex: undefined });
  }

  private open(kind: RequestKind, node: SimulatedNode): number {
    this.world.count(`ask: ${kind}`);
    return this.world.requests.open(kind, node);
  }
}

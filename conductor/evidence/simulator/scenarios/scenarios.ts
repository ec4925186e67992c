import { copyOf } from '../disk-faults.js';
import type { Machine } from '../machine.js';
import {
  cutGossip,
  demand,
  handOver,
  leaderOf,
  publishedWithin,
  QUIET_OPTIONS,
  restartClient,
  standbyOf,
  type Scenario,
} from './scenario.js';

export const scenarios: readonly Scenario[] = [
  {
    name: 'two sequencers',
    story:
      'A leader’s op-node cannot be stopped and hears no gossip while leadership is elsewhere. It keeps its sealed block, and commits it when leadership comes back: it must not replace what was published meanwhile.',
    async play(world) {
      const former = leaderOf(world);
      const successor = standbyOf(world);
      cutGossip(world, former);
      former.faults.set('admin_stopSequencer', 'fail');
      await handOver(world, successor);
      await world.clock.sleep(6000);
      await handOver(world, former);
      await world.clock.sleep(4000);
    },
  },
  {
    name: 'a client that lost blocks under an active sequencer',
    story:
      'The execution client of the leader comes back some blocks behind, and op-node goes on from there. What it builds anew was published before, and is in the log and on all other nodes.',
    async play(world) {
      restartClient(leaderOf(world), 4);
      await world.clock.sleep(8000);
      demand(world, publishedWithin(world, 3000) > 0, 'blocks flow again, without another leader');
    },
  },
  {
    name: 'a client that lost its newest block under an active sequencer',
    story:
      'The same, with the newest block only. op-node seals another one on its parent; the one that is gone was published, so that it does not make way.',
    async play(world) {
      restartClient(leaderOf(world), 1);
      await world.clock.sleep(8000);
    },
  },
  {
    name: 'a leader ends while its start is not answered',
    story:
      'The conductor is told to end while op-node, which has begun to sequence, does not say so. It is still told to stop, or it would continue with nobody to commit its blocks.',
    async play(world) {
      const leader = leaderOf(world);
      leader.killOpNode();
      leader.startOpNode(false);
      leader.faults.set('admin_startSequencer', 'mute');
      while (!leader.sequences) await world.clock.sleep(1);
      await leader.retireConductor();
      await world.clock.sleep(1000);
      await leader.startConductor();
    },
  },
  {
    name: 'a node that was away for longer than the log remembers',
    story:
      'The log is short, so that a node that comes back gets a snapshot, whose head replaces all that it knew.',
    options: { conductor: { ...QUIET_OPTIONS.conductor, retainedEntries: 12 } },
    async play(world) {
      const standby = standbyOf(world);
      standby.killConductor();
      await world.clock.sleep(30_000);
      await standby.startConductor();
      await world.clock.sleep(5000);
    },
  },
  {
    name: 'a start that is not answered',
    story:
      'op-node has begun to sequence and does not say so. Polls see it run in the meantime; the start continues, and finds out: what comes after the answer belongs to it.',
    async play(world) {
      const successor = standbyOf(world);
      successor.faults.set('admin_startSequencer', 'mute');
      await handOver(world, successor);
      await world.clock.sleep(5000);
      successor.faults.clear('admin_startSequencer');
      await world.clock.sleep(3000);
    },
  },
  {
    name: 'a copy of a disk on the other side of a partition',
    story:
      'A copy of one disk is started elsewhere while its node is down, and counts in its place. The node comes back on the other side of a partition, with a disk that knows nothing of what the copy has said: both sides have two of three voters.',
    async play(world) {
      const leader = leaderOf(world);
      const [twice, other] = world.machines.filter((machine) => machine !== leader) as [Machine, Machine];
      const copy = twice.processOnCopy(copyOf(twice.disk));
      twice.killConductor();
      leader.killConductor();
      void copy.start();
      await world.clock.sleep(5000);
      for (const one of [`${twice.nodeId}-copy`, other.nodeId]) {
        for (const { nodeId: another } of [twice, leader]) {
          world.raftLinks.cutLink(one, another);
          world.raftLinks.cutLink(another, one);
        }
      }
      await Promise.all([twice.startConductor(), leader.startConductor()]);
      await world.clock.sleep(5000);
      copy.kill();
    },
  },
  {
    name: 'one node that lost blocks under an active sequencer',
    story: 'The same in a cluster of one, where nobody else could take over.',
    options: { nodes: 1, past: { height: 10, behind: [0] } },
    async play(world) {
      restartClient(leaderOf(world), 4);
      await world.clock.sleep(8000);
    },
  },
  {
    name: 'an empty log over a chain',
    story:
      'Conductors are formed anew over a chain, and the one that is elected first has a client that misses the newest blocks. They were published by the cluster before; the log does not know them.',
    options: { past: { height: 14, behind: [6, 0, 0] } },
    async play(world) {
      await world.clock.sleep(5000);
    },
  },
  {
    name: 'a stranger commits a block far above',
    story:
      'Some other op-node has the URL of this conductor. One block of a chain that nobody here has must not become the head that everybody is to be brought to.',
    async play(world) {
      const leader = leaderOf(world);
      world.commitOfStranger(leader);
      await world.clock.sleep(1000);
      leader.killMachine(0);
      await world.clock.sleep(8000);
    },
  },
  {
    name: 'a standby that hears no gossip',
    story:
      'A standby lives by what its conductor posts. rollup-boost seals another block when a commit was not answered in time, so the newest committed block may be replaced: op-node would not take the second one.',
    async play(world) {
      const standby = standbyOf(world);
      cutGossip(world, standby);
      await world.clock.sleep(8000);
      const behind = (world.ledger.highest?.block.number ?? 0) - standby.head.number;
      demand(world, behind <= 3, `the standby is fed, it is ${behind} blocks behind`);
    },
  },
  {
    name: 'L1 takes blocks back',
    story:
      'L1 replaces the blocks that the newest blocks of the rollup came from: every op-node walks back by itself. The committed chain has to follow, by an entry that says so.',
    options: { node: { ...QUIET_OPTIONS.node, l1Confirmations: 0 } },
    async play(world) {
      await world.clock.sleep(5000);
      world.reorgL1(2);
      await world.clock.sleep(15_000);
    },
  },
  {
    name: 'L1 takes blocks back from one node',
    story:
      'The same in a cluster of one. op-node does not stop while its conductor says that it leads and its last sealed block is not its head, and after the walk back it never is. No other client is a witness; that L1 replaced blocks is.',
    options: {
      nodes: 1,
      past: { height: 10, behind: [0] },
      node: { ...QUIET_OPTIONS.node, l1Confirmations: 0 },
    },
    async play(world) {
      await world.clock.sleep(6000);
      world.reorgL1(2);
      await world.clock.sleep(15_000);
    },
  },
  {
    name: 'a leader whose large messages are swallowed',
    story:
      'Heartbeats of the leader arrive, entries do not, and the link between the two others is whole. A leader that gets nothing committed must make room.',
    options: { staysBroken: 'large messages' },
    async play(world) {
      await world.clock.sleep(1000);
    },
  },
  {
    name: 'a halt outlives its leader and every restart',
    story:
      'An operator halts the cluster. The leader dies, then every conductor and node: the halt is in the log, and a leader has the whole log before it acts, so that nobody starts a sequencer until the halt ends.',
    async play(world) {
      await leaderOf(world).conductor?.conductor.halt('an operator', 'a bad upgrade');
      await world.clock.sleep(15_000);
      demand(world, publishedWithin(world, 10_000) === 0, 'the chain stands');
      for (const machine of [leaderOf(world), ...world.machines]) {
        machine.killMachine(0);
        await world.clock.sleep(5000);
        machine.startExecution();
        machine.startOpNode(false);
        await machine.startConductor();
      }
      await world.clock.sleep(15_000);
      demand(world, publishedWithin(world, 40_000) === 0, 'the chain stands still');
      await leaderOf(world).conductor?.conductor.endHalt('an operator', 'rolled back');
      await world.clock.sleep(5000);
      demand(world, publishedWithin(world, 3000) > 0, 'blocks flow again');
    },
  },
  {
    name: 'a paused witness alone has the whole log',
    story:
      'One sequencer is away while blocks are committed, and comes back when the other one has died: only the witness can be elected. It brings the log to the sequencer that is back, and transfers leadership to it. That it was paused does not matter: a pause is about a sequencer.',
    options: { witness: true },
    async play(world) {
      const witness = world.machines.find(({ isWitness }) => isWitness) as Machine;
      const leader = leaderOf(world);
      const other = world.machines.find((machine) => machine !== leader && machine !== witness) as Machine;
      other.killMachine(0);
      await witness.conductor?.conductor.pause();
      await world.clock.sleep(10_000);
      leader.killMachine(0);
      // It waits for its op-node.
      void other.startConductor();
      await world.clock.sleep(5000);
      demand(world, world.leader === witness, `${witness.nodeId} leads while nobody can sequence`);
      other.startExecution();
      other.startOpNode(false);
      await world.clock.sleep(15_000);
      demand(world, world.leader === other, `${other.nodeId} leads, the only one that could sequence`);
      demand(world, publishedWithin(world, 5000) > 0, 'blocks flow again');
      await witness.conductor?.conductor.resume();
    },
  },
];

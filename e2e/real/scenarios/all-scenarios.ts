import { CpuQuota } from '../../cluster/cpu-quota.js';
import { Namespaces } from '../../cluster/namespaces.js';
import { MachinesApart } from '../machines-apart.js';
import { LOOPBACK } from '../environment.js';
import { batches, batchesAgain, coldStart, transactions } from './blocks-and-batches.js';
import { halt, nodeOverride } from './emergency.js';
import { frozenOpNode } from './frozen-op-node.js';
import { killConductor, killNode, returnOfKilledNode, sigterm, transfer } from './hand-over.js';
import {
  cpuThrottled,
  largeFramesLost,
  nameServerFails,
  newConnectionsLost,
  slowLine,
  startApart,
} from './gray-faults.js';
import { gethDies, gethForgets } from './killed-geth.js';
import { killAll, killAllForgetting } from './outage.js';
import { l1Reorg } from './l1-reorg.js';
import { newClusterFoundedBehind } from './new-cluster.js';
import { oneToThree } from './one-sequencer.js';
import { leaderRestarts, standbyRestarts } from './restarted-op-node.js';
import type { Scenario, ScenarioGroup } from './scenario.js';

const FAILURES: readonly Scenario[] = [
  { name: 'cold-start', title: 'first block from a cold start', run: coldStart },
  { name: 'transactions', title: 'blocks with transactions', run: transactions },
  { name: 'batches', title: "the batcher's batches land", run: batches },
  { name: 'transfer', title: 'hand-over by conductor_transferLeader', run: transfer },
  { name: 'sigterm', title: "transfer by SIGTERM of the leader's conductor", run: sigterm },
  { name: 'kill-node', title: "kill -9 of the leader's conductor, op-node and geth", run: killNode },
  { name: 'return', title: 'return of the killed node', after: 'kill-node', run: returnOfKilledNode },
  { name: 'freeze', title: "the leader's op-node hangs, goes on, and leads again", run: frozenOpNode },
  {
    name: 'kill-conductor',
    title: "kill -9 of the leader's conductor alone, whose op-node goes on",
    run: killConductor,
  },
  {
    name: 'standby-restarts',
    title: "a standby's op-node starts again without --sequencer.stopped",
    run: standbyRestarts,
  },
  {
    name: 'leader-restarts',
    title: "the same with the leader's, and nobody else can lead",
    run: leaderRestarts,
  },
  { name: 'halt', title: 'the cluster is halted, and goes on', run: halt },
  {
    name: 'node-override',
    title: "a standby's op-node is told to publish without its conductor",
    run: nodeOverride,
  },
  { name: 'geth-dies', title: "kill -9 of the leader's geth alone", run: gethDies },
  {
    name: 'geth-forgets',
    title: 'the same, its newest blocks are gone, and nobody else can lead',
    run: gethForgets,
  },
  { name: 'kill-all', title: 'kill -9 of every conductor, op-node and geth, and start again', run: killAll },
  { name: 'forget', title: 'the same, and every geth has forgotten its last blocks', run: killAllForgetting },
  {
    name: 'new-cluster',
    title: 'a new cluster over the chain, founded by a node that lacks blocks',
    run: newClusterFoundedBehind,
  },
  {
    name: 'one-to-three',
    title: 'a sequencer without a conductor, then a cluster of three, without an empty slot',
    run: oneToThree,
  },
  { name: 'l1-reorg', title: 'L1 replaces its newest blocks', run: l1Reorg },
  { name: 'batches-again', title: 'batches land after all this', after: 'batches', run: batchesAgain },
];

/** Gray faults, for half a minute each, mostly at the leader. */
const GRAY_FAULTS: readonly Scenario[] = [
  { name: 'machines-apart', title: 'first block of nodes on machines of their own', run: startApart },
  { name: 'slow-names', title: "the leader's name server takes 5 s to answer", run: nameServerFails('slow') },
  { name: 'half-names', title: 'it answers half of the questions', run: nameServerFails('half') },
  { name: 'no-names', title: 'it is gone', run: nameServerFails('silent') },
  {
    name: 'large-lost',
    title: 'of what the leader sends, large packets are lost',
    run: largeFramesLost,
  },
  {
    name: 'slow-line',
    title: 'the leader has a line of 8 Mbit/s, and blocks are full',
    lacks: () => Namespaces.lacks({ narrows: true }),
    run: slowLine,
  },
  {
    name: 'new-lost',
    title: 'new connections are lost, old ones live, and leadership moves',
    run: newConnectionsLost,
  },
  {
    name: 'little-cpu',
    title: "the leader's conductor gets a fiftieth of a CPU",
    lacks: () => CpuQuota.lacks(),
    run: cpuThrottled,
  },
];

/** In the order in which they run. */
export const GROUPS: readonly ScenarioGroup[] = [
  {
    name: 'failures',
    scenarios: FAILURES,
    lacks: () => undefined,
    environment: () => Promise.resolve(LOOPBACK),
  },
  {
    name: 'gray-faults',
    scenarios: GRAY_FAULTS,
    lacks: () => Namespaces.lacks({ filters: true }),
    environment: () => MachinesApart.create(),
  },
];

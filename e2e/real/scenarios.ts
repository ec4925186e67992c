import { setTimeout as sleep } from 'node:timers/promises';
import { membership, UNSAFE_INTERVAL_S } from './conductor.js';
import { latestBlock } from './execution.js';
import { call } from './json-rpc.js';
import type { SequencerNode } from './node.js';
import { soleSequencer } from './roles.js';
import { DEADLINE_MS, inSeconds, step, type Stage } from './stage.js';
import { reach, settled, transact } from './verify.js';

const USER_TRANSACTIONS = 25;
const CALLDATA_BYTES = 1_500;
const FORGOTTEN_BLOCKS = 5;
const SAFE_DEADLINE_MS = 180_000;

/** One thing that must work. `run` does it and waits for its own result; {@link verify} follows each. */
export interface Scenario {
  name: string;
  title: string;
  /** A scenario whose aftermath this one starts from. */
  after?: string;
  run: (stage: Stage) => Promise<void>;
}

/** In the order in which they run, on one network. */
export const SCENARIOS: readonly Scenario[] = [
  { name: 'cold-start', title: 'first block from a cold start', run: coldStart },
  { name: 'transactions', title: 'blocks with transactions', run: transactions },
  { name: 'batches', title: "the batcher's batches land", run: batches },
  { name: 'transfer', title: 'hand-over by conductor_transferLeader', run: transfer },
  { name: 'sigterm', title: "hand-over by SIGTERM of the leader's conductor", run: sigterm },
  { name: 'kill-node', title: "kill -9 of the leader's conductor, op-node and geth", run: killNode },
  { name: 'return', title: 'return of the killed node', after: 'kill-node', run: returnOfKilledNode },
  { name: 'kill-all', title: 'kill -9 of every conductor, op-node and geth, and start again', run: killAll },
  { name: 'forget', title: 'the same, and every geth has forgotten its last blocks', run: killAllForgetting },
  { name: 'batches-again', title: 'batches land after all this', after: 'batches', run: batchesAgain },
];

async function coldStart(stage: Stage): Promise<void> {
  const { network } = stage;
  await step(stage.say, 'all programs started, the cluster formed', () => network.start());
  await step(stage.say, 'conductors resumed', () => network.resume());
  await step(stage.say, 'every node has block 1', () => reach(stage, network.nodes, 1));
}

async function transactions(stage: Stage): Promise<void> {
  const { nodes } = stage.network;
  await step(stage.say, `${USER_TRANSACTIONS} transactions are on every node`, () =>
    transact(stage, nodes, USER_TRANSACTIONS, CALLDATA_BYTES),
  );
}

async function batches(stage: Stage): Promise<void> {
  stage.network.startBatcher();
  const first = await step(stage.say, 'every node has a safe head', () => safeHeadAbove(stage, 0));
  await step(stage.say, `every safe head is beyond ${first}`, () => safeHeadAbove(stage, first));
}

async function batchesAgain(stage: Stage): Promise<void> {
  const highest = stage.sampler.seen.highest();
  await step(stage.say, `every safe head is beyond ${highest}`, () => safeHeadAbove(stage, highest));
}

async function transfer(stage: Stage): Promise<void> {
  const { nodes } = stage.network;
  const old = await settled(stage, nodes);
  const at = performance.now();
  await call(old.conductorUrl, 'conductor_transferLeader', [], 15_000);
  await newSequencer(stage, nodes, old, at);
}

async function sigterm(stage: Stage): Promise<void> {
  const { network } = stage;
  const old = await settled(stage, network.nodes);
  const rest = network.nodes.filter((node) => node !== old);
  const at = performance.now();
  const how = await network.stopConductor(old);
  stage.say(`conductor of ${old.name} ended with ${how} after ${inSeconds(performance.now() - at)}`);
  await newSequencer(stage, rest, old, at);
  await step(stage.say, `conductor of ${old.name} is back`, () => network.startPart(old, 'conductor'));
  await candidate(stage, old);
}

async function killNode(stage: Stage): Promise<void> {
  const { network } = stage;
  const old = await settled(stage, network.nodes);
  const rest = network.nodes.filter((node) => node !== old);
  const at = performance.now();
  await network.killNode(old);
  stage.say(`killed ${old.name}`);
  await newSequencer(stage, rest, old, at);
}

async function returnOfKilledNode(stage: Stage): Promise<void> {
  const { network } = stage;
  const running = network.runningNodes();
  for (const node of network.nodes.filter((each) => !running.includes(each))) {
    const head = await step(stage.say, `${node.name} answers again`, () => network.startNode(node));
    stage.say(`its execution client came back with block ${head}`);
    await candidate(stage, node);
  }
}

async function killAll(stage: Stage): Promise<void> {
  await outage(stage);
}

/**
 * How many blocks a killed geth forgets is chance, and sometimes none. Here the conductors' log is surely the
 * only copy of the last ones.
 */
async function killAllForgetting(stage: Stage): Promise<void> {
  await outage(stage, stage.sampler.seen.highest() - FORGOTTEN_BLOCKS + 1);
}

async function outage(stage: Stage, forgetFrom?: number): Promise<void> {
  const { network, sampler } = stage;
  await network.killAllButL1();
  const head = sampler.seen.highest();
  stage.say(`killed everything but the L1 at block ${head}`);
  // Long enough for every head to be older than what counts as healthy.
  await sleep((UNSAFE_INTERVAL_S + 3) * 1000);
  const at = performance.now();
  const heads = await step(stage.say, 'every program answers again', () =>
    Promise.all(network.nodes.map((node) => network.startNode(node, forgetFrom))),
  );
  stage.say(`the execution clients came back with blocks ${heads.join(', ')}`);
  await reach(stage, network.nodes, head + 1);
  stage.say(`every node has block ${head + 1}, ${inSeconds(performance.now() - at)} after the start`);
  network.startBatcher();
}

/** Waits until another node than `old` leads, sequences and has a block that nobody had before. */
async function newSequencer(
  stage: Stage,
  nodes: readonly SequencerNode[],
  old: SequencerNode,
  at: number,
): Promise<void> {
  const { network, sampler } = stage;
  const head = sampler.seen.highest();
  const next = await network.waitFor(
    `a sequencer other than ${old.name}`,
    async () => {
      const found = await soleSequencer(nodes);
      return found !== undefined && found !== old && found;
    },
    DEADLINE_MS,
  );
  stage.say(`${next.name} leads and sequences after ${inSeconds(performance.now() - at)}`);
  await network.waitFor('a new block', async () => (await latestBlock(next)).number > head, DEADLINE_MS);
  stage.say(`it has block ${head + 1} after ${inSeconds(performance.now() - at)}`);
}

/** Waits until the node could take over at once: it has every block, is healthy and a member. */
async function candidate(stage: Stage, node: SequencerNode): Promise<void> {
  const { network, sampler } = stage;
  await step(stage.say, `${node.name} has caught up and is healthy`, () =>
    network.waitFor(
      `${node.name} to catch up`,
      async () => {
        const behind = sampler.seen.highest() - (await latestBlock(node)).number;
        const healthy = await call<boolean>(node.conductorUrl, 'conductor_sequencerHealthy');
        const member = (await membership(node)).servers?.some((server) => server.id === node.name) ?? false;
        if (behind <= 1 && healthy && member) return true;
        throw new Error(
          `${behind} blocks behind, ${healthy ? '' : 'not '}healthy, ${member ? '' : 'no '}member`,
        );
      },
      DEADLINE_MS,
    ),
  );
}

/** Waits until the safe head of every running node is beyond `number`, and returns the highest of them. */
function safeHeadAbove(stage: Stage, number: number): Promise<number> {
  const nodes = stage.network.runningNodes();
  return stage.network.waitFor(
    `safe heads beyond ${number}`,
    async () => {
      const heads = await Promise.all(nodes.map(safeHead));
      if (heads.every((head) => head > number)) return Math.max(...heads);
      throw new Error(`safe heads are at ${heads.join(', ')}`);
    },
    SAFE_DEADLINE_MS,
  );
}

async function safeHead(node: SequencerNode): Promise<number> {
  const status = await call<{ safe_l2: { number: number } }>(node.nodeUrl, 'optimism_syncStatus');
  return status.safe_l2.number;
}

import { setTimeout as sleep } from 'node:timers/promises';
import { UNSAFE_INTERVAL_S } from '../conductor.js';
import { inSeconds, step, type Stage } from '../stage.js';
import { reach } from '../verify.js';

const FORGOTTEN_BLOCKS = 5;

export async function killAll(stage: Stage): Promise<void> {
  await outage(stage);
}

/**
 * A killed geth forgets a random number of blocks, sometimes none. Here the conductors' log is certainly the only copy
 * of the last ones.
 */
export async function killAllForgetting(stage: Stage): Promise<void> {
  await outage(stage, stage.network.seen.highest() - FORGOTTEN_BLOCKS + 1);
}

async function outage(stage: Stage, forgetFrom?: number): Promise<void> {
  const { network } = stage;
  await network.killAllButL1();
  const head = network.seen.highest();
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

import { latestBlock } from '../execution.js';
import { inSeconds, step, type Stage } from '../stage.js';
import { settled } from '../verify.js';
import { blocksFlow, candidate } from './waits.js';

const FLOW_AGAIN_MS = 30_000;
const ALONE_FLOW_AGAIN_MS = 90_000;
const FORGOTTEN_BLOCKS = 5;

/** Another node takes over, while the old op-node still sequences without effect. */
export async function gethDies(stage: Stage): Promise<void> {
  const { network } = stage;
  const leader = await settled(stage, network.nodes);
  const at = performance.now();
  await network.killPart(leader, 'geth');
  stage.say(`killed the geth of ${leader.name}`);
  await network.startPart(leader, 'geth');
  stage.say(`it came back with block ${(await latestBlock(leader)).number}`);
  await blocksFlow(stage, at, FLOW_AGAIN_MS);
  for (const node of network.nodes) await candidate(stage, node);
}

/**
 * The leader's geth dies and comes back without its newest blocks, while no other node can take over, since the other
 * op-nodes hang. Its op-node survives, believes in a head that geth does not have, and drops posts below that head.
 */
export async function gethForgets(stage: Stage): Promise<void> {
  const { network } = stage;
  // Blocks that got to L1 would come back from there.
  await network.killBatcher();
  const leader = await settled(stage, network.nodes);
  const others = network.nodes.filter((node) => node !== leader);
  for (const node of others) network.freeze(node, 'op-node');
  const at = performance.now();
  await network.killPart(leader, 'geth');
  const head = network.seen.highest();
  await network.rewindWhileDown(leader, head - FORGOTTEN_BLOCKS);
  await step(stage.say, 'geth answers again', () => network.startPart(leader, 'geth'));
  const found = (await latestBlock(leader)).number;
  stage.say(
    `the geth of ${leader.name} died at block ${head}, and has ${found} after ${inSeconds(performance.now() - at)}`,
  );
  if (found >= head) throw new Error('geth has forgotten nothing');
  await blocksFlow(stage, at, ALONE_FLOW_AGAIN_MS);
  for (const node of others) network.thaw(node, 'op-node');
  for (const node of others) await candidate(stage, node);
  network.startBatcher();
}

import { call } from '../json-rpc.js';
import { inSeconds, step, type Stage } from '../stage.js';
import { settled } from '../verify.js';
import { blocksFlow, candidate, newSequencer } from './waits.js';

const FLOW_AGAIN_MS = 30_000;

export async function transfer(stage: Stage): Promise<void> {
  const { nodes } = stage.network;
  const old = await settled(stage, nodes);
  const at = performance.now();
  await call(old.conductorUrl, 'conductor_transferLeader', [], 15_000);
  await newSequencer(stage, nodes, old, at);
}

export async function sigterm(stage: Stage): Promise<void> {
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

export async function killNode(stage: Stage): Promise<void> {
  const { network } = stage;
  const old = await settled(stage, network.nodes);
  const rest = network.nodes.filter((node) => node !== old);
  const at = performance.now();
  await network.killNode(old);
  stage.say(`killed ${old.name}`);
  await newSequencer(stage, rest, old, at);
}

/** Its op-node keeps sequencing without a conductor, and still does when the conductor is back as a follower. */
export async function killConductor(stage: Stage): Promise<void> {
  const { network } = stage;
  const old = await settled(stage, network.nodes);
  const rest = network.nodes.filter((node) => node !== old);
  const at = performance.now();
  await network.killPart(old, 'conductor');
  stage.say(`killed the conductor of ${old.name}`);
  await newSequencer(stage, rest, old, at);
  await step(stage.say, `conductor of ${old.name} is back`, () => network.startPart(old, 'conductor'));
  await blocksFlow(stage, at, FLOW_AGAIN_MS);
  await candidate(stage, old);
}

export async function returnOfKilledNode(stage: Stage): Promise<void> {
  const { network } = stage;
  const running = network.runningNodes();
  for (const node of network.nodes.filter((each) => !running.includes(each))) {
    const head = await step(stage.say, `${node.name} answers again`, () => network.startNode(node));
    stage.say(`its execution client came back with block ${head}`);
    await candidate(stage, node);
  }
}

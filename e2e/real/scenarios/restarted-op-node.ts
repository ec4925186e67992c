import type { SequencerNode } from '../node.js';
import { DEADLINE_MS, step, type Stage } from '../stage.js';
import { settled } from '../verify.js';
import { blocksFlow, candidate } from './waits.js';

const FLOW_AGAIN_MS = 30_000;
/** What op-node logs when its sequencer begins, some time after it answers. */
const STOPPED = /sequencerStopped=(true|false)/;

/** A standby's op-node dies and starts without `--sequencer.stopped`. */
export async function standbyRestarts(stage: Stage): Promise<void> {
  const { network } = stage;
  const leader = await settled(stage, network.nodes);
  const standby = network.nodes.find((node) => node !== leader) as SequencerNode;
  const at = performance.now();
  await restartWithoutStopped(stage, standby);
  await candidate(stage, standby);
  await blocksFlow(stage, at, FLOW_AGAIN_MS);
}

/**
 * The same with the leader's op-node, while no other node can take over, because the other op-nodes hang. The chain must
 * continue with this one.
 */
export async function leaderRestarts(stage: Stage): Promise<void> {
  const { network } = stage;
  const leader = await settled(stage, network.nodes);
  const others = network.nodes.filter((node) => node !== leader);
  for (const node of others) network.freeze(node, 'op-node');
  const at = performance.now();
  await restartWithoutStopped(stage, leader);
  await blocksFlow(stage, at, FLOW_AGAIN_MS);
  for (const node of others) network.thaw(node, 'op-node');
  for (const node of others) await candidate(stage, node);
}

/**
 * Without that flag op-node sequences from its start, unless it has a conductor. Then it must always wait for the
 * conductor, or every restart would begin with an unrequested block.
 */
async function restartWithoutStopped({ network, say }: Stage, node: SequencerNode): Promise<void> {
  await network.killPart(node, 'op-node');
  const before = network.logOf(node, 'op-node').length;
  await step(say, `the op-node of ${node.name} answers again`, () =>
    network.startPart(node, 'op-node', { stopped: false }),
  );
  const found = await network.waitFor(
    'op-node to say whether its sequencer waits',
    async () => STOPPED.exec(network.logOf(node, 'op-node').slice(before))?.[1],
    DEADLINE_MS,
  );
  if (found !== 'true') throw new Error(`the op-node of ${node.name} has not waited for its conductor`);
}

import { latestBlock } from '../execution.js';
import { call } from '../json-rpc.js';
import type { SequencerNode } from '../node.js';
import { DEADLINE_MS, inSeconds, step, type Stage } from '../stage.js';
import { blocksFlow } from './waits.js';

const FLOW_AGAIN_MS = 60_000;
const MISSING_BLOCKS = 5;

/**
 * The conductors lose all their disks, and the one member whose node lacks published blocks founds a new cluster. Its
 * log is empty, so only the execution clients know how far the chain went.
 */
export async function newClusterFoundedBehind(stage: Stage): Promise<void> {
  const { network, say } = stage;
  const [founder] = network.nodes as [SequencerNode];
  // Blocks that got to L1 would come back from there.
  await network.killBatcher();
  const onL1 = (await latestBlock(founder)).number;
  await step(say, 'there are blocks that are not on L1', () =>
    network.waitFor(
      `block ${onL1 + MISSING_BLOCKS + 1}`,
      async () => (await latestBlock(founder)).number > onL1 + MISSING_BLOCKS,
      DEADLINE_MS,
    ),
  );
  const at = performance.now();
  await step(say, 'every conductor has stopped its sequencer and ended', () =>
    Promise.all(network.nodes.map((node) => network.stopConductor(node))),
  );
  await Promise.all([network.killPart(founder, 'op-node'), network.killPart(founder, 'geth')]);
  const head = network.seen.highest();
  await network.rewindWhileDown(founder, head - MISSING_BLOCKS);
  await network.startPart(founder, 'geth');
  await network.startPart(founder, 'op-node');
  await step(say, 'a new cluster is founded, with empty directories', () => network.foundCluster());
  const heads = await Promise.all(network.nodes.map(latestBlock));
  say(`the execution clients are at blocks ${heads.map(({ number }) => number).join(', ')}`);
  const foundersHead = heads[founder.index]?.number ?? head;
  if (foundersHead >= head)
    throw new Error(`the founder is not behind: it has block ${foundersHead} of ${head}`);

  // The founder first: it leads, may act, and must wait for the nodes that have more.
  for (const node of network.nodes) await call(node.conductorUrl, 'conductor_resume', [], 15_000);
  await blocksFlow(stage, at, FLOW_AGAIN_MS);
  say(`the old cluster ended ${inSeconds(performance.now() - at)} ago`);
  network.startBatcher();
}

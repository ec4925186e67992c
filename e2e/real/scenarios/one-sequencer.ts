import { SlotWatch } from '../../cluster/slot-watch.js';
import { canonicalChain, latestBlock } from '../execution.js';
import { call } from '../json-rpc.js';
import type { SequencerNode } from '../node.js';
import { DEADLINE_MS, step, type Stage } from '../stage.js';
import { candidate } from './waits.js';

const BLOCKS_ALONE = 3;
/** The slots of which docs/MIGRATION.md speaks. */
const SLOT_MS = 2000;

/**
 * From one sequencer to three nodes, as in docs/MIGRATION.md: an op-node without a conductor sequences, two others get a
 * cluster, the sequencer moves there without an empty slot, and the first one joins.
 */
export async function oneToThree(stage: Stage): Promise<void> {
  const { network, say } = stage;
  const [founder, second, alone] = network.nodes as [SequencerNode, SequencerNode, SequencerNode];
  await Promise.all(network.nodes.map((node) => network.stopConductor(node)));
  const from = await network.waitFor(
    `${alone.name} to have every block`,
    async () => {
      const { number } = await latestBlock(alone);
      return number >= network.seen.highest() && number;
    },
    DEADLINE_MS,
  );
  await network.killPart(alone, 'op-node');
  await network.startPart(alone, 'op-node', { alone: true, stopped: false });
  const watch = new SlotWatch(async () => network.seen.highest(), SLOT_MS);
  try {
    await step(say, `${alone.name} sequences without a conductor`, () =>
      network.waitFor(
        'its blocks',
        async () => (await latestBlock(founder)).number >= from + BLOCKS_ALONE,
        DEADLINE_MS,
      ),
    );
    await atMostNone(say, watch, 'a cluster is founded beside it', () =>
      network.foundCluster([founder, second]),
    );
    await atMostNone(say, watch, `the sequencer moves to ${founder.name}`, () => move(stage, alone, founder));
    await excuse(stage, alone, from);
    await atMostNone(say, watch, `${alone.name} joins`, () => join(stage, alone, founder));
  } finally {
    await watch.stop();
  }
  await call(second.conductorUrl, 'conductor_resume', [], 15_000);
  await candidate(stage, alone);
}

async function move({ network }: Stage, from: SequencerNode, to: SequencerNode): Promise<void> {
  const hash = await call<string>(from.nodeUrl, 'admin_stopSequencer');
  await network.waitFor(
    `${to.name} to have the last block of ${from.name}`,
    async () => {
      const status = await call<{ unsafe_l2: { hash: string } }>(to.nodeUrl, 'optimism_syncStatus');
      return status.unsafe_l2.hash === hash;
    },
    DEADLINE_MS,
  );
  await call(to.conductorUrl, 'conductor_resume', [], 15_000);
}

/** Of the blocks above `from`, those of the single sequencer were brought to no conductor, as they should. */
async function excuse({ network }: Stage, node: SequencerNode, from: number): Promise<void> {
  const { number } = await latestBlock(node);
  const first =
    network.witness.acknowledged.find(({ number: brought }) => brought > from)?.number ?? Infinity;
  const chain = await canonicalChain(node, number);
  for (const block of chain.slice(from + 1, first)) network.witness.excuse(block.hash);
}

async function join({ network }: Stage, node: SequencerNode, leader: SequencerNode): Promise<void> {
  await network.killPart(node, 'op-node');
  await network.startPart(node, 'op-node');
  await network.startPart(node, 'conductor');
  const added = [node.name, node.consensusAddress, 0];
  await call(leader.conductorUrl, 'conductor_addServerAsVoter', added, 15_000);
}

/** @throws Error when a slot passed without a block meanwhile */
async function atMostNone(
  say: Stage['say'],
  watch: SlotWatch,
  what: string,
  work: () => Promise<void>,
): Promise<void> {
  const empty = await step(say, what, () => watch.emptySlotsDuring(work));
  if (empty > 0) throw new Error(`${what}: ${empty} slots of ${SLOT_MS} ms without a block`);
}

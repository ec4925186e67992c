import { membership } from '../conductor.js';
import { latestBlock } from '../execution.js';
import { call } from '../json-rpc.js';
import type { SequencerNode } from '../node.js';
import { soleSequencer } from '../roles.js';
import { DEADLINE_MS, inSeconds, step, type Stage } from '../stage.js';

const SAFE_DEADLINE_MS = 180_000;
/** A single block might be the end of something earlier. */
const FLOWING_BLOCKS = 3;

/** Waits until another node than `old` leads, sequences and has a block that nobody had before. */
export async function newSequencer(
  stage: Stage,
  nodes: readonly SequencerNode[],
  old: SequencerNode,
  at: number,
): Promise<void> {
  const { network } = stage;
  const head = network.seen.highest();
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
export async function candidate(stage: Stage, node: SequencerNode): Promise<void> {
  const { network } = stage;
  await step(stage.say, `${node.name} has caught up and is healthy`, () =>
    network.waitFor(
      `${node.name} to catch up`,
      async () => {
        const behind = network.seen.highest() - (await latestBlock(node)).number;
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
export function safeHeadAbove(stage: Stage, number: number): Promise<number> {
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

/**
 * Waits until several blocks are acknowledged from now on, and returns the times.
 *
 * @param sinceMs monotonic time of the fault
 * @param withinMs longest time from the fault until blocks flow
 */
export async function blocksFlow({ network, say }: Stage, sinceMs: number, withinMs: number): Promise<void> {
  const before = network.witness.acknowledged.length;
  const fresh = () => network.witness.acknowledged.slice(before);
  await network.waitFor(
    `blocks to flow again within ${inSeconds(withinMs)}`,
    async () => fresh().length >= FLOWING_BLOCKS,
    sinceMs + withinMs - performance.now(),
  );
  const last = fresh().at(-1);
  say(`blocks flow from ${last?.node}, ${inSeconds((last?.atMs ?? 0) - sinceMs)} after the fault`);
}

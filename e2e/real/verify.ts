import { differences, lostBlocks, unbroughtBlocks, type BlockRef } from './chain-check.js';
import { canonicalChain, latestBlock } from './execution.js';
import type { SequencerNode } from './node.js';
import { describeRoles, roles, soleSequencer } from './roles.js';
import { DEADLINE_MS, step, type Stage } from './stage.js';
import { blockOfTransaction, sendTransactions } from './transactions.js';
import { waitFor } from '../cluster/wait-for.js';

const MORE_BLOCKS = 3;
const MOST_FINDINGS = 20;
const INCLUSION_MS = 20_000;

/**
 * What must hold after every scenario: one leader and it alone sequences, it takes transactions, blocks flow on
 * beyond everything seen before on all running nodes, every height has one block there, a conductor was asked for each,
 * and no block is gone that any node ever had or any conductor acknowledged, unless a reset entry says so. Throws with
 * all findings.
 */
export async function verify(stage: Stage): Promise<void> {
  const nodes = stage.network.runningNodes();
  const findings: string[] = [];
  const note = (error: unknown): void =>
    void findings.push(error instanceof Error ? error.message : String(error));
  await goesOn(stage, nodes).catch(note);
  // Also when the chain has stopped: it may have forked as well, which matters more.
  const height = (await compareChains(stage, nodes).catch(note)) ?? 0;
  if (findings.length > 0) throw new Error(findings.join('\n'));
  const sequencer = await settled(stage, nodes);
  stage.say(
    `blocks 0 to ${height} are the same on ${nodes.length} nodes and none is gone; ${sequencer.name} leads`,
  );
}

async function goesOn(stage: Stage, nodes: readonly SequencerNode[]): Promise<void> {
  const target = stage.network.seen.highest() + MORE_BLOCKS;
  await step(stage.say, 'one node leads and sequences', () => settled(stage, nodes));
  await step(stage.say, `a transaction is on ${nodes.length} nodes`, () => transact(stage, nodes, 1, 0));
  await step(stage.say, `${nodes.length} nodes have block ${target}`, () => reach(stage, nodes, target));
}

/**
 * Compares all blocks up to the lowest head with each other and with what was ever seen or asked for, and returns
 * that head's number. Throws with the differences.
 */
async function compareChains({ network }: Stage, nodes: readonly SequencerNode[]): Promise<number> {
  const heads = await Promise.all(nodes.map(latestBlock));
  const height = Math.min(...heads.map((head) => head.number));
  const chains = new Map<string, BlockRef[]>();
  for (const node of nodes) chains.set(node.name, await canonicalChain(node, height));
  // Where chains agree, one stands for all. Where they do not, that is already among the problems.
  const [reference = []] = chains.values();
  const problems = [
    ...differences(chains),
    ...lostBlocks(network.seen, reference, network.resets()),
    ...unbroughtBlocks(reference, (hash) => network.witness.wasBrought(hash)),
  ];
  if (problems.length > 0) throw new Error(problems.slice(0, MOST_FINDINGS).join('\n'));
  return height;
}

/** Waits until one of the nodes leads and sequences and no other does either. */
export function settled(stage: Stage, nodes: readonly SequencerNode[]): Promise<SequencerNode> {
  return stage.network.waitFor(
    'one leader that alone sequences',
    async () => {
      const found = await soleSequencer(nodes);
      if (found === undefined) throw new Error(describeRoles(await roles(nodes)));
      return found;
    },
    DEADLINE_MS,
  );
}

/** Waits until every node's execution client has the block number. */
export function reach(stage: Stage, nodes: readonly SequencerNode[], number: number): Promise<true> {
  return stage.network.waitFor(
    `block ${number} on every node`,
    async () => {
      const heads = await Promise.all(nodes.map(latestBlock));
      if (heads.every((head) => head.number >= number)) return true;
      throw new Error(heads.map((head, index) => `${nodes[index]?.name} is at ${head.number}`).join(', '));
    },
    DEADLINE_MS,
  );
}

/**
 * Sends transactions to the sequencer and waits until every node has each of them in the same block.
 * They are sent again when leadership moves in between, which loses those that the old sequencer had not included.
 */
export function transact(
  stage: Stage,
  nodes: readonly SequencerNode[],
  count: number,
  calldataBytes: number,
): Promise<true> {
  return stage.network.waitFor(
    'transactions on every node',
    async () => {
      const sequencer = await soleSequencer(nodes);
      if (sequencer === undefined) throw new Error(describeRoles(await roles(nodes)));
      const sent = await sendTransactions(sequencer, stage.network.userKey, count, calldataBytes);
      return waitFor(
        'inclusion',
        async () => {
          for (const transaction of sent) {
            const blocks = new Set(
              await Promise.all(nodes.map((node) => blockOfTransaction(node, transaction))),
            );
            if (blocks.size !== 1 || blocks.has(undefined)) return false;
          }
          return true;
        },
        INCLUSION_MS,
      );
    },
    DEADLINE_MS,
  );
}

import { latestBlock } from '../execution.js';
import { call } from '../json-rpc.js';
import type { SequencerNode } from '../node.js';
import { DEADLINE_MS, step, type Stage } from '../stage.js';
import { settled } from '../verify.js';
import { blocksFlow, candidate } from './waits.js';

const FLOW_AGAIN_MS = 30_000;
/** Longer than Baton goes without a look at an op-node that was overridden. */
const SEVERAL_LOOKS_MS = 6000;
const NO_BLOCK = `0x${'11'.repeat(32)}`;

interface Status {
  halt: object | null;
  head: { number: number } | null;
  node: { sequencerActive: boolean | null; overriddenSinceMs: number | null };
}

const statusOf = (node: SequencerNode): Promise<Status> => call(node.conductorUrl, 'conductor_status');

/** The chain stands at a committed block for as long as an operator wants it to, and goes on. */
export async function halt(stage: Stage): Promise<void> {
  const { network, say } = stage;
  const leader = await settled(stage, network.nodes);
  await call(leader.conductorUrl, 'conductor_halt', ['operator', 'a real halt'], DEADLINE_MS);
  await step(say, 'no sequencer runs, and everybody knows why', () =>
    network.waitFor(
      'the halt',
      async () => {
        const all = await Promise.all(network.nodes.map(statusOf));
        return all.every(({ halt, node }) => halt !== null && node.sequencerActive === false);
      },
      DEADLINE_MS,
    ),
  );
  const { number } = await latestBlock(leader);
  await network.waitFor(
    'all nodes to stand at the committed head',
    async () => {
      const statuses = await Promise.all(network.nodes.map(statusOf));
      const heads = await Promise.all(network.nodes.map(latestBlock));
      return (
        statuses.every(({ head }) => head?.number === number) && heads.every((head) => head.number === number)
      );
    },
    DEADLINE_MS,
  );
  say(`the chain stands at block ${number}`);
  const at = performance.now();
  await call(leader.conductorUrl, 'conductor_endHalt', ['operator', 'it is over'], DEADLINE_MS);
  await blocksFlow(stage, at, FLOW_AGAIN_MS);
}

/**
 * op-node is told to publish without its conductor, and a start on a block that it has not fails. Baton has to know of it
 * until op-node was restarted, and no longer: op-node itself says nothing of it.
 */
export async function nodeOverride(stage: Stage): Promise<void> {
  const { network, say } = stage;
  const leader = await settled(stage, network.nodes);
  const standby = network.nodes.find((node) => node !== leader) as SequencerNode;
  const { conductorUrl } = standby;
  const overridden = async (): Promise<boolean> => (await statusOf(standby)).node.overriddenSinceMs !== null;

  await call(conductorUrl, 'conductor_pause');
  await call(conductorUrl, 'conductor_overrideLeader', [true]);
  const refused = await call(conductorUrl, 'conductor_startSequencer', [NO_BLOCK, true]).then(
    () => undefined,
    (error: Error) => error.message,
  );
  if (!refused?.includes('block hash does not match')) throw new Error(`op-node has answered: ${refused}`);
  await call(conductorUrl, 'conductor_overrideLeader', [false]);

  // It answers those looks with a refusal that only an overridden op-node gives.
  const endMs = performance.now() + SEVERAL_LOOKS_MS;
  await network.waitFor(
    'several looks',
    async () => {
      if (!(await overridden())) throw new Error(`the override of ${standby.name} was forgotten too early`);
      return performance.now() > endMs;
    },
    2 * SEVERAL_LOOKS_MS,
  );
  await network.killPart(standby, 'op-node');
  await step(say, `the op-node of ${standby.name} answers again`, () =>
    network.startPart(standby, 'op-node'),
  );
  await step(say, 'its override is known to be over', () =>
    network.waitFor('the end of the override', async () => !(await overridden()), DEADLINE_MS),
  );
  await call(conductorUrl, 'conductor_resume', [], DEADLINE_MS);
  await candidate(stage, standby);
}

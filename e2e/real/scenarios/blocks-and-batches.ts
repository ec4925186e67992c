import { step, type Stage } from '../stage.js';
import { reach, transact } from '../verify.js';
import { safeHeadAbove } from './waits.js';

const USER_TRANSACTIONS = 25;
const CALLDATA_BYTES = 1_500;

export async function coldStart(stage: Stage): Promise<void> {
  const { network } = stage;
  await step(stage.say, 'all programs started, the cluster formed', () => network.start());
  await step(stage.say, 'conductors resumed', () => network.resume());
  await step(stage.say, 'every node has block 1', () => reach(stage, network.nodes, 1));
}

export async function transactions(stage: Stage): Promise<void> {
  const { nodes } = stage.network;
  await step(stage.say, `${USER_TRANSACTIONS} transactions are on every node`, () =>
    transact(stage, nodes, USER_TRANSACTIONS, CALLDATA_BYTES),
  );
}

export async function batches(stage: Stage): Promise<void> {
  stage.network.startBatcher();
  const first = await step(stage.say, 'every node has a safe head', () => safeHeadAbove(stage, 0));
  await step(stage.say, `every safe head is beyond ${first}`, () => safeHeadAbove(stage, first));
}

export async function batchesAgain(stage: Stage): Promise<void> {
  const highest = stage.network.seen.highest();
  await step(stage.say, `every safe head is beyond ${highest}`, () => safeHeadAbove(stage, highest));
}

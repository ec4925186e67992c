import { batches, batchesAgain, coldStart, transactions } from './blocks-and-batches.js';
import { killNode, returnOfKilledNode, sigterm, transfer } from './hand-over.js';
import { killAll, killAllForgetting } from './outage.js';
import type { Scenario } from './scenario.js';

/** In the order in which they run, on one network. */
export const SCENARIOS: readonly Scenario[] = [
  { name: 'cold-start', title: 'first block from a cold start', run: coldStart },
  { name: 'transactions', title: 'blocks with transactions', run: transactions },
  { name: 'batches', title: "the batcher's batches land", run: batches },
  { name: 'transfer', title: 'hand-over by conductor_transferLeader', run: transfer },
  { name: 'sigterm', title: "hand-over by SIGTERM of the leader's conductor", run: sigterm },
  { name: 'kill-node', title: "kill -9 of the leader's conductor, op-node and geth", run: killNode },
  { name: 'return', title: 'return of the killed node', after: 'kill-node', run: returnOfKilledNode },
  { name: 'kill-all', title: 'kill -9 of every conductor, op-node and geth, and start again', run: killAll },
  { name: 'forget', title: 'the same, and every geth has forgotten its last blocks', run: killAllForgetting },
  { name: 'batches-again', title: 'batches land after all this', after: 'batches', run: batchesAgain },
];

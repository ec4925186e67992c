import { BUDGETED, type Budget } from './bounds.js';

/** One state of the whole cluster, by numbers: node states, messages in flight, and the necessary history. */
export interface ClusterState {
  /** Numbers of the three nodes' states. */
  nodes: readonly number[];
  /** Numbers of the messages in flight, in order. A message may be there twice. */
  messages: readonly number[];
  /** The ledger: chain hashes of everything ever committed, from index 1 on. */
  committed: readonly number[];
  /** The leader of each term; -1 if none. */
  leaders: readonly number[];
  left: Budget;
}

export const keyOf = (state: ClusterState): string =>
  [
    state.nodes.join(),
    state.messages.join(),
    state.committed.join(),
    state.leaders.join(),
    BUDGETED.map((name) => state.left[name]).join(),
  ].join('|');

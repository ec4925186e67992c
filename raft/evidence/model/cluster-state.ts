import { BUDGETED, type Budget } from './bounds.js';

/** One state of the whole cluster, by number: node states, messages under way, and what history must remember. */
export interface ClusterState {
  /** Numbers of the three nodes' states. */
  nodes: readonly number[];
  /** Numbers of the messages under way, in order; a message may be there twice. */
  messages: readonly number[];
  /** Chain hashes of what was ever committed, from index 1 on: the ledger. */
  committed: readonly number[];
  /** Who led, by term; -1: nobody. */
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

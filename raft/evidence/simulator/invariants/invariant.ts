import type { NodeId } from '../../../core/configuration.js';
import type { CoreContext } from '../../../core/context.js';
import type { Input } from '../../../core/inputs.js';
import type { Output, Persist } from '../../../core/outputs.js';
import { isQuorum } from '../../checks/quorums.js';
import type { ClientRequests } from '../client-requests.js';
import type { Ledger, LedgerEntry, Voter } from '../ledger.js';
import type { LogChange } from '../observed-log.js';
import type { ObservedNode, ObservedProcess, Pointers } from '../observed-node.js';
import type { SimulationOptions } from '../options.js';

/** One step of one core, when it is done and its outputs are not yet carried out. */
export interface Step {
  node: ObservedNode;
  process: ObservedProcess;
  ctx: CoreContext;
  input: Input;
  outputs: readonly Output[];
  /** The node before the step. */
  before: Pointers;
  /** How the step changed the node's log. */
  change: LogChange | null;
  /** The ledger's end before the step. */
  committedBefore: number;
}

/** One property that must always hold. It sees every event and throws a Violation when the property is broken. */
export interface Invariant {
  stepped?: (this: void, step: Step) => void;
  /** A write became durable. */
  written?(node: ObservedNode, write: Persist): void;
  /** A process has begun, and nothing has happened in it yet. */
  started?(node: ObservedNode): void;
  /** A process died. What it had not written is lost. */
  crashed?(node: ObservedNode): void;
  /** The application of a node applied one entry. */
  applied?(node: ObservedNode, index: number, data: Uint8Array): void;
}

/** What an invariant may read besides the event itself. */
export interface Evidence {
  readonly ledger: Ledger;
  readonly nodes: readonly ObservedNode[];
  readonly requests: Pick<ClientRequests, 'get'>;
  readonly node: (id: NodeId) => ObservedNode;
  /** What was drawn from the seed. */
  readonly options: SimulationOptions;
  /** True time. */
  readonly nowMs: () => number;
}

/** True when the node still has the disk of that voter, and no fault took what was on it. */
export const hasDiskOf = (node: ObservedNode, { incarnation }: Voter): boolean =>
  node.incarnation === incarnation && !node.diskIsLost;

/**
 * True when a majority of the voters that committed the entry at `index` cannot lose it in a crash. A disk that a fault
 * destroyed counts as if it had the entry: no more are destroyed than a majority can spare (World.mayLoseDisk), but the
 * others must have it.
 */
export function isKeptByMajority(
  { node: find }: Pick<Evidence, 'node'>,
  { index, chainHash, quorums }: LedgerEntry,
): boolean {
  let intact = 0;
  const kept = isQuorum(quorums, (voter) => {
    const node = find(voter.id);
    if (!hasDiskOf(node, voter)) return true;
    const keeps = node.disk.snapshotIndex > index || node.disk.hashAt(index) === chainHash;
    if (keeps) intact += 1;
    return keeps;
  });
  return kept && intact > 0;
}

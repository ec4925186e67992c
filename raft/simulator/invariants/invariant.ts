import type { CoreContext } from '../../core/context.js';
import type { Configuration, Input, NodeId, Output, Persist } from '../../core/types.js';
import type { Ledger } from '../ledger.js';
import type { ClientRequests } from '../client-requests.js';
import type { Pointers, Process, SimulatedNode } from '../node.js';
import type { LogChange } from '../observed-log.js';

/** One step of one core, after it was done and before its outputs are carried out. */
export interface Step {
  node: SimulatedNode;
  process: Process;
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

/** One property that must hold at all times. It sees every event and throws a Violation when it does not hold. */
export interface Invariant {
  stepped?(step: Step): void;
  /** A write became durable. */
  written?(node: SimulatedNode, write: Persist): void;
  /** A process began, nothing happened in it yet. */
  started?(node: SimulatedNode): void;
  /** A process died; what it had not written is lost. */
  crashed?(node: SimulatedNode): void;
  /** The application of a node took one entry. */
  applied?(node: SimulatedNode, index: number, data: Uint8Array): void;
}

/** What an invariant may look at beside the event itself. */
export interface Evidence {
  readonly ledger: Ledger;
  readonly nodes: readonly SimulatedNode[];
  readonly requests: ClientRequests;
  readonly node: (id: NodeId) => SimulatedNode;
}

// The core's own quorum functions are under test, so the checks have their own.

export const votersOf = (configuration: Configuration): NodeId[] =>
  configuration.members.filter((member) => member.voter).map((member) => member.id);

export function isMajority(voters: readonly NodeId[], agrees: (id: NodeId) => boolean): boolean {
  let count = 0;
  for (const id of voters) if (agrees(id)) count += 1;
  return 2 * count > voters.length;
}

/** True when a crash of this node could not take the committed entry at `index` from it. */
export function keepsCommitted(node: SimulatedNode, index: number, chainHash: number): boolean {
  return node.disk.snapshotIndex > index || node.disk.hashAt(index) === chainHash;
}

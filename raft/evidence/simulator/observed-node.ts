import type { NodeId } from '../../core/configuration.js';
import type { CoreContext } from '../../core/context.js';
import type { Role } from '../../core/outputs.js';
import type { RaftCore } from '../../core/raft-core.js';
import type { SimulatedDisk } from './disk.js';
import type { NodeClock } from './node-clock.js';
import type { ObservedLog } from './observed-log.js';
import type { StateMachine } from './state-machine.js';

/** The state of a node after its last step. */
export interface Pointers {
  role: Role;
  term: number;
  commit: number;
  applied: number;
  snapshotIndex: number;
}

/** What a check may read of a process. */
export interface ObservedProcess {
  readonly core: RaftCore;
  readonly ctx: CoreContext;
  readonly application: StateMachine;
  readonly log: ObservedLog;
}

/** What a check may read of a machine. Nothing here changes it. */
export interface ObservedNode {
  readonly id: NodeId;
  /** Position among all nodes. */
  readonly slot: number;
  /** Changes with the disk. */
  readonly incarnation: string;
  readonly disk: SimulatedDisk;
  /** The content of the disk can no longer be trusted. */
  readonly diskIsLost: boolean;
  /** The disk is in an older state than its node has reported. */
  readonly wentBack: boolean;
  readonly clock: NodeClock;
  readonly process: ObservedProcess | null;
  /** Runs and is not paused. */
  readonly isAwake: boolean;
  readonly leads: boolean;
  /** The bytes of an entry of this node's log, from memory or disk. */
  dataOf(ctx: CoreContext, index: number): Uint8Array | undefined;
}

/** The current state of the node. */
export const pointersOf = (ctx: CoreContext): Pointers => ({
  role: ctx.role,
  term: ctx.term,
  commit: ctx.commit,
  applied: ctx.applied,
  snapshotIndex: ctx.log.snapshotIndex,
});

/** Changes the object in place, because this runs in every step. */
export function notePointers(pointers: Pointers, ctx: CoreContext): void {
  pointers.role = ctx.role;
  pointers.term = ctx.term;
  pointers.commit = ctx.commit;
  pointers.applied = ctx.applied;
  pointers.snapshotIndex = ctx.log.snapshotIndex;
}

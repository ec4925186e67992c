/** The public surface of the Raft library. */
export type {
  Configuration,
  IndexedConfiguration,
  Limits,
  LoadedEntry,
  Member,
  MembershipChange,
  RejectReason,
  Snapshot,
  Timing,
} from './core/types.js';
export type { CoreStatus, PeerStatus } from './core/raft-core.js';
export type { Outcome } from './runtime/outcomes.js';
export type { Retention } from './runtime/compaction.js';
export type { StateMachine } from './runtime/state-machine.js';
export { inspectDirectory, type Inspection, type LogVisitor } from './recovery/inspect.js';
export { planRecovery, recoverDirectory, type RecoveryPlan } from './recovery/recover.js';
export { StorageError } from './storage/errors.js';
export { RaftNode } from './runtime/raft-node.js';

/** The public surface of the Raft library. */
export type {
  ClusterTiming,
  ElectionCause,
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
export { clusterTimingOf, isSameTiming } from './core/timing.js';
export { profileOf, TIMING_PROFILES, type TimingProfile } from './runtime/timing-profiles.js';
export type { Retention } from './runtime/compaction.js';
export type { StateMachine } from './runtime/state-machine.js';
export { inspectDirectory, type Inspection, type LogVisitor } from './recovery/inspect.js';
export { planRecovery, recoverDirectory, type RecoveryPlan } from './recovery/recover.js';
export type { NodeTransport, Outcome, RaftNodeEvents, RaftNodeOptions } from './runtime/node-options.js';
export { RaftNode } from './runtime/raft-node.js';
export { StorageError, type StorageErrorCode } from './storage/errors.js';
export { LevelStorage, type LevelStorageOptions } from './storage/level-storage.js';
export { MemoryDisk, MemoryStorage } from './storage/memory-storage.js';
export type { Identity, Storage } from './storage/storage.js';
export { wireProblem, type HelloAnswer } from './transport/hello.js';
export { HttpTransport, type HttpTransportOptions } from './transport/http-transport.js';
export type { LaneTimeouts } from './transport/peer-lanes.js';
export type { Respond, TransportHost } from './transport/transport-host.js';

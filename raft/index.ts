/** The public surface of the Raft library. */
export type { MembershipChange } from './core/configuration-change.js';
export type { Configuration, IndexedConfiguration, Member } from './core/configuration.js';
export type { LoadedEntry } from './core/entries.js';
export type { Limits } from './core/options.js';
export type { ElectionCause, LogPosition, RejectReason } from './core/outputs.js';
export type { CoreStatus, PeerStatus } from './core/raft-core.js';
export type { Snapshot } from './core/stored-state.js';
export * from './values.js';
export type { Retention } from './runtime/compaction.js';
export type { StateMachine } from './runtime/state-machine.js';
export { inspectDirectory, type Inspection, type LogVisitor } from './recovery/inspect.js';
export { planRecovery, recoverDirectory, type RecoveryPlan } from './recovery/recover.js';
export type { NodeTransport, Outcome, RaftNodeEvents, RaftNodeOptions } from './runtime/node-options.js';
export { RaftNode } from './runtime/raft-node.js';
export { lockDirectory } from './storage/directory-lock.js';
export { StorageError, type StorageErrorCode } from './storage/errors.js';
export { LevelStorage, type LevelStorageOptions } from './storage/level-storage.js';
export { MemoryDisk, MemoryStorage } from './storage/memory-storage.js';
export type { Identity, Storage } from './storage/storage.js';
export { TransportError } from './transport/errors.js';
export { wireProblem, type HelloAnswer } from './transport/hello.js';
export { HttpTransport, type HttpTransportOptions } from './transport/http-transport.js';
export { isRefused } from './transport/peer-failure.js';
export type { LaneTimeouts } from './transport/peer-lanes.js';
export type { Respond, TransportHost } from './transport/transport-host.js';
export { readCertificate } from './transport/security/read-certificate.js';
export { readSecrets } from './transport/security/read-secrets.js';
export { SecurityError, type SecurityErrorCode } from './transport/security/security-error.js';
export type {
  CertificateCredentials,
  CertificateTexts,
  Credentials,
  SecretCredentials,
  SecurityRefusal,
  TransportSecurity,
} from './transport/security/security.js';

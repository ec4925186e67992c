import type { ClusterTimes } from './cluster-timing.js';
import type { ClusterVerdict } from './cluster-verdict.js';
import type { ClusterStatus, ConductorStatus } from './conductor-status.js';
import type { PauseRequest, ResumeRequest } from './pause-request.js';
import type { History } from './history.js';
import type { CallerIdentity } from './json-rpc/caller.js';
import type { BlockId } from '../payload/block-ref.js';
import type { UnsafePayload } from '../payload/unsafe-payload.js';

/** Right to vote of a member, as op-conductor numbers it on the wire. */
export const Suffrage = { voter: 0, nonvoter: 1 } as const;

/** One member of the cluster, in op-conductor's wire shape. */
export interface ServerInfo {
  id: string;
  /** Consensus address, `host:port`. */
  addr: string;
  suffrage: 0 | 1;
}

/** The members as the answering node knows them; `version` is the log index of that configuration. */
export interface ClusterMembership {
  /** `null`, not `[]`, while no configuration is known. */
  servers: ServerInfo[] | null;
  version: number;
}

/** What is known about the proposer of a block. */
export interface CommitOptions {
  /** Fires when the connection of the proposer closes before the answer is written. */
  gone?: AbortSignal;
}

/**
 * The actions behind the `conductor_*` methods. The RPC layer knows the wire; the conductor implements this.
 *
 * Methods reject with an `RpcError` whose message reaches the client unchanged. None of them may wait for the
 * control loop to become idle: op-node calls `conductor_leader` back from inside `admin_startSequencer`.
 */
export interface ConductorApi {
  leader(): boolean;
  leaderWithId(): ServerInfo;
  clusterMembership(): ClusterMembership;
  active(): boolean;
  paused(): boolean;
  stopped(): boolean;
  sequencerHealthy(): boolean;
  leaderOverridden(): boolean;
  overrideLeader(override: boolean): void;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Pauses this node, another member or the whole cluster; with who, why and how long. */
  beginPause(request: PauseRequest): Promise<void>;
  endPause(request: ResumeRequest): Promise<void>;
  stop(by?: CallerIdentity): Promise<void>;
  /** No sequencer runs anywhere from now on, by decision of `owner` for `reason`. Any member, with a quorum. */
  halt(owner: string, reason: string): Promise<void>;
  endHalt(owner: string, reason: string): Promise<void>;
  /** `gone` fires when the proposer left without an answer: then it will not publish the block. */
  commitUnsafePayload(payload: UnsafePayload, options?: CommitOptions): Promise<void>;
  /**
   * Takes the committed head of the cluster back to an ancestor. Leader only.
   *
   * @param reason why, and by whose decision; it goes on record
   * @param seen hash of the head that the caller saw: refused once it is another
   */
  resetHead(to: BlockId, reason: string, seen?: string): Promise<void>;
  transferLeader(by?: CallerIdentity): Promise<void>;
  transferLeaderToServer(id: string, addr: string, by?: CallerIdentity): Promise<void>;
  /** `version` 0 means: do not check. */
  addServerAsVoter(id: string, addr: string, version: number, by?: CallerIdentity): Promise<void>;
  addServerAsNonvoter(id: string, addr: string, version: number, by?: CallerIdentity): Promise<void>;
  /** `force`: even when the voters that answer now would not be a majority afterwards. */
  demoteVoter(id: string, version: number, force: boolean, by?: CallerIdentity): Promise<void>;
  removeServer(id: string, version: number, force: boolean, by?: CallerIdentity): Promise<void>;
  /** The node `id` replaces the voter `oldId`: both or neither. */
  replaceServer(oldId: string, id: string, addr: string, version: number, by?: CallerIdentity): Promise<void>;
  /** The times that the whole cluster uses: a profile by its name, or free values. */
  setTiming(timing: string | ClusterTimes, version: number): Promise<void>;
  /** Puts a record of another member into the log. Leader only. */
  record(record: unknown): Promise<void>;
  /** Why this node could not take over now; undefined when it could, or leads with an active sequencer. */
  whyNotReady(): Promise<string | undefined>;
  /** Why the active sequencer is not here under this node's leadership; undefined when it is. */
  whyNotActiveLeader(): string | undefined;
  status(): ConductorStatus;
  clusterStatus(): Promise<ClusterStatus>;
  /** The verdict on the whole cluster, half a second old at most. Never rejects. */
  clusterVerdict(): Promise<ClusterVerdict>;
  /** Events since then (wall clock, ms), as far as they are retained. */
  history(sinceMs: number): History;
  /** The newest committed payload applied on this node; null while there is none. */
  latestUnsafePayload(): Promise<Buffer | null>;
}

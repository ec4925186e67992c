/**
 * The vocabulary of the core: what goes in, what comes out, what is kept.
 *
 * Times are milliseconds of a monotonic clock, handed in with every input; `random` is a number in [0, 1).
 * The core itself has neither a clock nor randomness (raft.md §5.2).
 */

/** The server id of a node, unique in its cluster. */
export type NodeId = string;

export interface Member {
  id: NodeId;
  /** Consensus address, `host:port`; resolved anew by the transport on every connect. */
  address: string;
  /** The disk that was added under this id, 32 hex digits: a wiped node is another one (bug 40). */
  incarnation: string;
  voter: boolean;
}

export interface Configuration {
  members: readonly Member[];
  /** The clockwork of the whole cluster; without it each node goes by its own. */
  timing?: ClusterTiming;
  /** While one voter takes the place of another (joint consensus, thesis §4.3); the voters of `members` come next. */
  joint?: JointChange;
}

/** The part of a joint configuration that ends with it. */
export interface JointChange {
  /** The voters before the change: a majority of them must agree as well. */
  voters: readonly NodeId[];
  /** Members that are none any more when the change is complete. */
  leaving: readonly NodeId[];
}

/** A configuration and the log index of the entry (or snapshot) that brought it. */
export interface IndexedConfiguration {
  index: number;
  configuration: Configuration;
}

export type EntryKind = 'noop' | 'config' | 'command';

export interface EntryHeader {
  index: number;
  term: number;
  kind: EntryKind;
  /** Length of the data in bytes. */
  byteLength: number;
  /** CRC-32 of the data. */
  crc: number;
  /** Hash of this header chained to that of the entry before (chain-hash.ts); equal hashes mean equal logs. */
  chainHash: number;
}

/** `data` is undefined when the bytes were evicted from memory: the runtime reads them from storage. */
export interface Entry extends EntryHeader {
  data: Uint8Array | undefined;
}

/** An entry with its bytes. */
export interface LoadedEntry extends EntryHeader {
  data: Uint8Array;
}

/** What must be on disk before a node may speak of it. `commit` is a hint that costs nothing. */
export interface HardState {
  term: number;
  votedFor: NodeId | null;
  commit: number;
}

/** Where the log begins: everything up to and including `index` is in the snapshot. */
export interface SnapshotMeta {
  index: number;
  term: number;
  chainHash: number;
  configuration: IndexedConfiguration;
}

export interface Snapshot extends SnapshotMeta {
  data: Uint8Array;
}

/** What storage found at start. */
export interface RestoredState {
  hardState: HardState;
  snapshot: SnapshotMeta | null;
  /** Headers of all entries after the snapshot, without a gap. */
  headers: readonly EntryHeader[];
  /** Configurations found in those entries, oldest first. */
  configurations: readonly IndexedConfiguration[];
}

// ---------------------------------------------------------------- messages

interface Envelope {
  /** Term of the sender. For a pre-vote request: the term it would campaign in. */
  term: number;
  /** Pairs a response with its request; drawn by the requester. */
  requestId: number;
}

export interface PreVoteRequest extends Envelope {
  type: 'preVote';
  lastIndex: number;
  lastTerm: number;
}
export interface VoteRequest extends Envelope {
  type: 'vote';
  lastIndex: number;
  lastTerm: number;
  /**
   * The hand-over (TimeoutNow) by which this node stands, as the leader of the term before counts them: loyalty to that
   * leader does not apply, unless it has given up this hand-over meanwhile. 0 without one.
   */
  handOver: number;
}
interface VoteAnswer extends Envelope {
  granted: boolean;
  /** For a refusal out of loyalty to a live leader: how long that will last still, in ms. */
  remainingMs: number;
}
export interface PreVoteResponse extends VoteAnswer {
  type: 'preVoteResponse';
}
export interface VoteResponse extends VoteAnswer {
  type: 'voteResponse';
}
export interface AppendRequest extends Envelope {
  type: 'append';
  prevIndex: number;
  prevTerm: number;
  prevHash: number;
  commit: number;
  entries: readonly Entry[];
}
export interface AppendResponse extends Envelope {
  type: 'appendResponse';
  success: boolean;
  /** Success: the last index that is durable here and equal to the sender's log. */
  matchIndex: number;
  /** Refusal: where the leader should look next (thesis §3.5, by term). */
  conflictIndex: number;
  conflictTerm: number;
}
export interface HeartbeatRequest extends Envelope {
  type: 'heartbeat';
  round: number;
  /** min(commit, what this follower acknowledged): it may always be applied. */
  commit: number;
  /** How long whoever answers stays loyal: the election timeout by which this leader computes its lease. */
  electionTimeoutMs: number;
  /** What this follower acknowledged to this leader: it must still have it. */
  acknowledged: number;
  /** Up to this one, the hand-overs of this leader are over: who still stands by one has no claim to a vote. */
  handOversEnded: number;
  /** Place of this follower in the succession, 0 first; no two followers have the same one of a leader. */
  rank: number;
}
export interface HeartbeatResponse extends Envelope {
  type: 'heartbeatResponse';
  round: number;
  /** End of the log, on disk or about to be. */
  lastIndex: number;
  /** How fit this node is to lead, as its application sees it; greater is better, 0 is unfit. */
  eligibility: number;
  /** As configured; decides between nodes that are equally fit. Greater is better. */
  priority: number;
}
export interface SnapshotRequest extends Envelope {
  type: 'snapshot';
  /** `data` is undefined in the core: the runtime reads the stored snapshot when it sends. */
  snapshot: SnapshotMeta & { data: Uint8Array | undefined };
}
export interface SnapshotResponse extends Envelope {
  type: 'snapshotResponse';
  /** The last index that is durable here after the installation. */
  matchIndex: number;
}
export interface TimeoutNowRequest extends Envelope {
  type: 'timeoutNow';
  /** Counted by this leader, from 1. */
  handOver: number;
  lastIndex: number;
  lastTerm: number;
}
export interface TimeoutNowResponse extends Envelope {
  type: 'timeoutNowResponse';
  accepted: boolean;
}

export type RequestMessage =
  PreVoteRequest | VoteRequest | AppendRequest | HeartbeatRequest | SnapshotRequest | TimeoutNowRequest;
export type ResponseMessage =
  PreVoteResponse | VoteResponse | AppendResponse | HeartbeatResponse | SnapshotResponse | TimeoutNowResponse;
export type Message = RequestMessage | ResponseMessage;

// ---------------------------------------------------------------- inputs

/** A wish to change the membership. */
export type MembershipChange =
  | { type: 'addVoter'; id: NodeId; address: string; incarnation: string }
  | { type: 'addNonvoter'; id: NodeId; address: string; incarnation: string }
  | { type: 'demote'; id: NodeId }
  | { type: 'remove'; id: NodeId }
  /** `by` becomes a voter and `id` leaves, both or neither, without an even number of voters in between. */
  | { type: 'replace'; id: NodeId; by: { id: NodeId; address: string; incarnation: string } };

interface Moment {
  now: number;
  random: number;
}

/** What happens to a node. */
export type Stimulus =
  | { type: 'tick' }
  | { type: 'message'; from: NodeId; message: Message }
  /** A request of ours ended without a response. */
  | { type: 'requestFailed'; to: NodeId; requestId: number }
  /** The write `seq` is durable. */
  | { type: 'stored'; seq: number }
  /** The application has applied everything up to `index`. */
  | { type: 'applied'; index: number }
  | { type: 'propose'; id: number; data: Uint8Array; crc: number }
  /** Linearizable read (thesis §6.4): answered with an index that must be applied before the read. */
  | { type: 'read'; id: number }
  /** `to` undefined: the best voter. */
  | { type: 'transfer'; id: number; to: NodeId | undefined }
  /**
   * `expectedIndex` undefined: do not check the configuration's index. `force`: also when the voters that answer
   * would be no quorum of the new configuration.
   */
  | {
      type: 'changeMembership';
      id: number;
      change: MembershipChange;
      expectedIndex: number | undefined;
      force?: boolean;
    }
  /** Another clockwork for the whole cluster, in force on each node as soon as it is in its log. */
  | { type: 'setTiming'; id: number; timing: ClusterTiming; expectedIndex: number | undefined }
  /** First configuration of a new cluster; legal only on an empty node. */
  | { type: 'bootstrap'; id: number; configuration: Configuration }
  /** The application made a snapshot of its state at `index`; entries up to there may go. */
  | { type: 'compact'; index: number; data: Uint8Array }
  /** Proof that a process is gone (connection refused by its host); time-outs prove nothing. */
  | { type: 'peerGone'; peer: NodeId }
  /** This process did not run for `forMs` (late timer, VM pause). */
  | { type: 'stalled'; forMs: number }
  | { type: 'eligibility'; value: number };

/** A stimulus when its turn comes: with the time and a random number. */
export type Input = Moment & Stimulus;

// ---------------------------------------------------------------- outputs

/** One atomic, synced write. Only one is outstanding; `stored` closes it. */
export interface Persist {
  type: 'persist';
  seq: number;
  hardState: HardState;
  /** Delete entries from here on before appending. */
  truncateFrom: number | undefined;
  entries: readonly LoadedEntry[];
  /** Replaces the stored snapshot; entries up to its index are deleted. */
  snapshot: Snapshot | undefined;
  /** True when the log itself restarts after the snapshot (it was received): all entries are deleted. */
  resetLog: boolean;
}

export type RejectReason =
  | 'not-leader'
  | 'transfer-in-progress'
  | 'too-many-uncommitted'
  | 'no-such-member'
  | 'not-a-voter'
  | 'already-leader'
  | 'configuration-changed'
  | 'change-in-progress'
  | 'no-commit-in-term'
  | 'last-voter'
  | 'would-lose-quorum'
  | 'invalid-timing'
  | 'no-change'
  | 'duplicate-address'
  | 'other-disk'
  | 'not-empty'
  | 'transfer-timeout';

/**
 * The end of a proposal, read, transfer or change. `rejected` means it never took effect and never will;
 * `unknown` means that only a later look can tell.
 */
export type Answer =
  | { outcome: 'done'; index: number; term: number }
  | { outcome: 'rejected'; reason: RejectReason; detail?: string }
  | { outcome: 'unknown'; reason: string };

export type Role = 'follower' | 'candidate' | 'leader';

/**
 * Why a node stands for election: no word from the leader for the election timeout; proof that the leader's process is
 * gone; the leader hands over; the candidacy before brought no leader.
 */
export type ElectionCause = 'timeout' | 'leader-gone' | 'transfer' | 'retry';

export type CoreEvent =
  | { type: 'role'; role: Role; term: number; leader: NodeId | null; reason: string }
  | { type: 'leaderReady'; term: number; index: number }
  | { type: 'configuration'; index: number; configuration: Configuration; reason: string }
  | { type: 'electionStarted'; term: number; cause: ElectionCause; prevote: boolean }
  | { type: 'snapshotInstalled'; index: number; from: NodeId }
  /** A write of this leader has been under way for so long that it hands over. */
  | { type: 'diskHangs'; forMs: number; successor: NodeId }
  /** `node` acknowledged up to `acknowledged` and now has no more than `found`: its disk lost what it had confirmed. */
  | { type: 'reverted'; node: NodeId; acknowledged: number; found: number };

export type Output =
  | Persist
  | { type: 'send'; to: NodeId; message: Message }
  /** Everything up to `index` is committed. */
  | { type: 'commit'; index: number }
  /** The application's state is replaced by this snapshot. */
  | { type: 'restore'; snapshot: Snapshot }
  | { type: 'answer'; id: number; answer: Answer }
  | { type: 'event'; event: CoreEvent }
  /** An invariant is broken; the process must end. */
  | { type: 'halt'; reason: string };

// ---------------------------------------------------------------- options

/** The times that must be the same on all nodes; part of the configuration in the log. */
export interface ClusterTiming {
  heartbeatIntervalMs: number;
  /** Silence after which a follower may stand, and for which it is loyal to a leader. */
  electionTimeoutMs: number;
  /** Step between the timers of followers of neighbouring rank. */
  rankSlotMs: number;
  /** Random addition to a timer. */
  jitterMs: number;
  /** A leader that has not heard a quorum for this long steps down. */
  leaseTimeoutMs: number;
}

export interface Timing extends ClusterTiming {
  /** A request without a response is forgotten after this. */
  requestTimeoutMs: number;
  /** Longest a transfer may take. */
  transferTimeoutMs: number;
}

export interface Limits {
  /** Bytes and number of proposals that may wait for their commit. */
  uncommittedBytesMax: number;
  uncommittedEntriesMax: number;
  /** Per follower: requests and bytes under way. */
  inflightRequestsMax: number;
  inflightBytesMax: number;
  /** Bytes of entries in one append (one entry may exceed it). */
  appendBytesMax: number;
  /** Bytes of entry data kept in memory. */
  cacheBytesMax: number;
}

export interface CoreOptions {
  id: NodeId;
  /** Of this node's disk; it stands only as the member that has this one. */
  incarnation: string;
  /** Preference of this node as leader among equally fit ones, greater is better; 0 unless given. */
  priority?: number;
  timing: Timing;
  limits: Limits;
}

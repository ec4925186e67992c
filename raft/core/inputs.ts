import type { MembershipChange } from './configuration-change.js';
import type { Configuration, NodeId } from './configuration.js';
import type { Message } from './messages.js';
import type { ClusterTiming } from './timing.js';

/** The core has no clock and no randomness: each input brings both. */
interface Moment {
  /** Milliseconds of a monotonic clock. */
  now: number;
  /** In [0, 1). */
  random: number;
}

/** What happens to a node. */
export type Stimulus =
  | { type: 'tick' }
  | { type: 'message'; from: NodeId; message: Message }
  /** A request of ours ended without a response; `cause` is the transport's text, which is only displayed. */
  | { type: 'requestFailed'; to: NodeId; requestId: number; cause?: string }
  /**
   * A request with entries or a snapshot is still on its way, and the peer confirmed that it has the first `bytes` of
   * it. Bytes that only left this host prove nothing.
   */
  | { type: 'progress'; to: NodeId; requestId: number; bytes: number }
  /** The write `seq` is durable. */
  | { type: 'stored'; seq: number }
  /** The application has applied everything up to `index`. */
  | { type: 'applied'; index: number }
  | { type: 'propose'; id: number; data: Uint8Array; crc: number }
  /** Linearizable read (Raft thesis §6.4): answered with an index that must be applied before the read. */
  | { type: 'read'; id: number }
  /** Answered when the voter has everything that is in the log now, or ran out of time. It has no other effect. */
  | { type: 'prepareTransfer'; id: number; to: NodeId }
  /** `to` undefined: the best voter. */
  | { type: 'transfer'; id: number; to: NodeId | undefined }
  /**
   * `expectedIndex` undefined: do not check the configuration's index. `force`: even if the voters that answer are not a
   * quorum of the new configuration.
   */
  | {
      type: 'changeMembership';
      id: number;
      change: MembershipChange;
      expectedIndex: number | undefined;
      force?: boolean;
    }
  /** Another timing for the whole cluster, in force on each node as soon as the entry is in its log. */
  | { type: 'setTiming'; id: number; timing: ClusterTiming; expectedIndex: number | undefined }
  /** First configuration of a new cluster. Allowed only on an empty node. */
  | { type: 'bootstrap'; id: number; configuration: Configuration }
  /** The application made a snapshot of its state at `index`. Entries up to there may be deleted. */
  | { type: 'compact'; index: number; data: Uint8Array }
  /** Proof that a process is gone (connection refused by its host). Timeouts prove nothing. */
  | { type: 'peerGone'; peer: NodeId }
  /** This process did not run for `forMs` (late timer, VM pause). */
  | { type: 'stalled'; forMs: number }
  | { type: 'eligibility'; value: number };

/** A stimulus with the time and a random number, ready to be processed. */
export type Input = Moment & Stimulus;

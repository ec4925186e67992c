import type { NodeId } from './configuration.js';
import type { Timing } from './timing.js';

export interface Limits {
  /** Bytes and number of proposals that may wait for their commit. */
  uncommittedBytesMax: number;
  uncommittedEntriesMax: number;
  /** Per follower: requests and bytes in flight. */
  inflightRequestsMax: number;
  inflightBytesMax: number;
  /** Bytes of entries in one append (one entry may exceed it). */
  appendBytesMax: number;
  /** Bytes of entry data kept in memory. */
  cacheBytesMax: number;
}

export interface CoreOptions {
  id: NodeId;
  /** Identity of this node's disk. The node stands only as the member that has this one. */
  incarnation: string;
  /** Preference for this node as leader among equally fit ones. Greater is better; 0 by default. */
  priority?: number;
  timing: Timing;
  limits: Limits;
}

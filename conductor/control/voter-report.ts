import type { BlockId } from '../../rpc/payload/block-ref.js';

/** What a voter says about its own node. */
export interface VoterState {
  /** Head of its execution client; null while that does not answer. */
  head: BlockId | null;
  /** Highest committed block that its client kept when it left the committed chain by itself; null if it has not. */
  leftAt: BlockId | null;
  /** Its conductor may act and its node answers. */
  canLead: boolean;
  /** Its sequencer runs. */
  sequences: boolean;
  /** It has no node, so it never has a head. */
  witness: boolean;
}

/** One of the voters, this node included. */
export interface VoterReport {
  id: string;
  /** Null when it did not answer in time. */
  state: VoterState | null;
}

/** The majority of that many voters. */
export const majorityOf = (voters: number): number => Math.floor(voters / 2) + 1;

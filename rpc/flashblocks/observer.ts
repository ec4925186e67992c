/** Why a frame of the upstream was not forwarded. */
export type DropReason =
  /** This node does not lead. */
  | 'not-leader'
  /** It may have been sent before this node became the leader. */
  | 'stale'
  /** Leadership ended while it was being sent to the clients. */
  | 'demoted';

/** Why the proxy ended the connection of a client. */
export type CutReason =
  /** It reads more slowly than the upstream sends. */
  | 'slow'
  /** It did not answer a ping in time. */
  | 'silent'
  /** It broke the protocol or its connection broke. */
  | 'error';

/** Told what the proxy does, for metrics. */
export interface FlashblocksObserver {
  connectionAttempt(success: boolean): void;
  upstreamConnected(connected: boolean): void;
  clientsConnected(count: number): void;
  /** One frame of the upstream, of this many bytes, is being sent to this many clients. */
  forwarded(bytes: number, clients: number): void;
  dropped(reason: DropReason): void;
  clientCut(reason: CutReason): void;
}

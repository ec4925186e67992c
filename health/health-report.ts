import type { BlockRef } from '../rpc/payload/unsafe-payload.js';

/** Why a node is unhealthy, or `ok`. */
export type HealthCode = 'ok' | 'node-unreachable' | 'unsafe-head-old' | 'too-few-peers';

/** The outcome of all checks over one observation. */
export interface HealthVerdict {
  healthy: boolean;
  status: 'healthy' | 'unhealthy';
  code: HealthCode;
  /** For people, with the numbers behind the verdict. */
  reason: string;
  /** op-node's unsafe head; absent if it did not tell. */
  unsafeHead?: BlockRef;
  /** Connected peers of op-node; absent if it did not tell. */
  peers?: number;
}

export interface HealthReport extends HealthVerdict {
  /** Wall clock when the probes were sent: everything in the report was true at this time or later. */
  checkedAtMs: number;
}

export interface HealthLimits {
  /** A head older than this is unhealthy; one of exactly this age is not. */
  unsafeIntervalSeconds: number;
  minPeerCount: number;
}

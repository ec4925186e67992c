import type { HeadInfo } from '../rpc/clients/op-node-client.js';

/** What is wrong with a node. Each has its remedy in docs/ERRORS.md. */
export type HealthCode =
  | 'node-unreachable'
  | 'other-branch'
  | 'conductor-disabled'
  | 'commits-refused'
  | 'unsafe-head-old'
  | 'safe-head-old'
  | 'too-few-peers'
  | 'execution-unreachable'
  | 'too-few-execution-peers'
  | 'rollup-boost-unreachable'
  | 'rollup-boost-partial'
  | 'rollup-boost-unhealthy';

/** The checks, by name. `node-poll` is not one of this folder: the conductor asks the local node more often. */
export type CheckName =
  'node-poll' | 'sync-status' | 'unsafe-head' | 'safe-head' | 'peers' | 'execution-peers' | 'rollup-boost';

/** One thing that is wrong. */
export interface HealthReason {
  check: CheckName;
  code: HealthCode;
  /** `degraded`: tolerated, the node may sequence. */
  severity: 'degraded' | 'unhealthy';
  /** For people, with the numbers. */
  message: string;
  /** What was measured (seconds or a count) and its limit; absent where nothing was measured. */
  value?: number;
  limit?: number;
  /** Checks in a row that found this; absent for the age of a head, which grows by itself. */
  failures?: number;
}

/** The outcome of all checks over one observation. */
export interface HealthVerdict {
  /** May sequence: healthy or degraded. */
  healthy: boolean;
  status: 'healthy' | 'degraded' | 'unhealthy';
  /** Everything that is wrong: what makes it unhealthy first, each part in op-conductor's order of checks. */
  reasons: readonly HealthReason[];
  /** For people: the first reason's message, or the numbers of a healthy node. */
  summary: string;
  /** op-node's unsafe head; absent if unknown. */
  unsafeHead?: HeadInfo;
  /** Connected peers of op-node; absent if unknown. */
  peers?: number;
}

export interface HealthReport extends HealthVerdict {
  /** Wall clock when the newest probes were sent. */
  checkedAtMs: number;
}

/** What is allowed. The limits of checks that are not configured are ignored. */
export interface HealthLimits {
  /** A head older than this is unhealthy. One of exactly this age is not. */
  unsafeIntervalSeconds: number;
  /** Undefined: the safe head is not checked. */
  safeIntervalSeconds?: number | undefined;
  minPeerCount: number;
  minExecutionPeerCount?: number | undefined;
}

/** Whether a report names this code as a reason to be unhealthy. */
export function isUnhealthyFor(report: HealthVerdict, code: HealthCode): boolean {
  return report.reasons.some((reason) => reason.code === code && reason.severity === 'unhealthy');
}

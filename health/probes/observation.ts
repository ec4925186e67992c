import type { PeerStats, SyncStatus } from '../../rpc/clients/op-node-client.js';
import type { CallOptions } from '../../rpc/clients/json-rpc-client.js';
import type { RollupBoostAnswer } from './rollup-boost.js';

/** The probes of the programs on this machine, by name, with the type of the answer. */
export interface Answers {
  syncStatus: SyncStatus;
  peerStats: PeerStats;
  /** Connected peers of the execution client. */
  executionPeers: number;
  rollupBoost: RollupBoostAnswer;
}

/** One probe. The call must end by its deadline or with its signal. */
export interface Probe<T> {
  call(options: CallOptions): Promise<T>;
  timeoutMs: number;
}

/** The probes of every round. The optional ones run only if their check is configured. */
export type Probes = { [K in 'syncStatus' | 'peerStats']: Probe<Answers[K]> } & {
  [K in 'executionPeers' | 'rollupBoost']?: Probe<Answers[K]> | undefined;
};

/** The result of a probe: a value, or the reason why there is none. */
export type Probed<T> = { askedAtMs: number } & (
  | { ok: true; value: T }
  /** `failures`: calls in a row without an answer, this one included. */
  | { ok: false; error: string; failures: number }
);

/** The newest answer of each probe; absent while there was none, or if it is not configured. */
export type Observation = { [K in keyof Answers]?: Probed<Answers[K]> };

/** Runs one probe. Never rejects. @param before the previous answer */
export async function ask<T>(
  probe: Probe<T>,
  before: Probed<T> | undefined,
  askedAtMs: number,
  signal: AbortSignal,
): Promise<Probed<T>> {
  try {
    return { askedAtMs, ok: true, value: await probe.call({ signal, timeoutMs: probe.timeoutMs }) };
  } catch (error) {
    const failures = before?.ok === false ? before.failures + 1 : 1;
    return { askedAtMs, ok: false, error: (error as Error).message, failures };
  }
}

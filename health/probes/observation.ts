import type { PeerStats, SyncStatus } from '../../rpc/clients/op-node-client.js';
import type { CallOptions } from '../../rpc/clients/json-rpc-client.js';
import type { RollupBoostAnswer } from './rollup-boost.js';

/** What is asked of the programs on this machine, by name, with the type of the answer. */
export interface Answers {
  syncStatus: SyncStatus;
  peerStats: PeerStats;
  /** Connected peers of the execution client. */
  executionPeers: number;
  rollupBoost: RollupBoostAnswer;
}

/** One question. The call must end by its deadline or with its signal. */
export interface Probe<T> {
  call(options: CallOptions): Promise<T>;
  timeoutMs: number;
}

/** The questions that are asked in every round; the optional ones only if their check is configured. */
export type Probes = { [K in 'syncStatus' | 'peerStats']: Probe<Answers[K]> } & {
  [K in 'executionPeers' | 'rollupBoost']?: Probe<Answers[K]> | undefined;
};

/** What a probe brought: a value, or the reason why there is none. */
export type Probed<T> = { askedAtMs: number } & (
  | { ok: true; value: T }
  /** `failures`: calls in a row without an answer, this one included. */
  | { ok: false; error: string; failures: number }
);

/** The newest answer to each question; absent while there was none, or if nobody asks. */
export type Observation = { [K in keyof Answers]?: Probed<Answers[K]> };

/** Asks one question. Never rejects. @param before the answer to the question before */
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

import type { CallerIdentity } from './caller.js';
import type { RpcError } from './rpc-error.js';

/** One finished call, for metrics. */
export interface CallReport {
  /** `unknown` for a method that does not exist, so that clients cannot make up metric labels. */
  method: string;
  /** Since its body was complete; for one of a batch, since its turn. */
  durationMs: number;
  /** The part of it until its parameters were decoded. */
  decodeMs: number;
  /** Length of its parameters and of its result, as written; 0 if there are none. */
  paramsBytes: number;
  resultBytes: number;
  /** Absent on success. */
  error?: RpcError;
}

/** One finished call that changes something, for the record. A call that could not be read does not count. */
export interface ChangeReport {
  method: string;
  params: readonly unknown[];
  by: CallerIdentity;
  /** Clients repeat it all the time, so only a call that differs from the previous one is news. */
  isRoutine: boolean;
  /** Absent on success. */
  failure?: RpcError;
}

import type { RejectReason } from '../core/types.js';

/**
 * How a request to the cluster ended. `rejected`: it had no effect and never will. `unknown`: it may have taken
 * effect or may still do so; only the log can tell, later.
 */
export type Outcome<T> =
  | ({ outcome: 'done'; index: number; term: number } & T)
  | { outcome: 'rejected'; reason: RejectReason | 'stopped'; detail?: string }
  | { outcome: 'unknown'; reason: string };

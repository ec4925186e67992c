import { StartRefusedError } from '../../rpc/clients/start-refusal.js';
import { BehindError } from './bring-to-head.js';

/** Starts in a row that have to fail before another node is thought to do better. */
const FAILURES = 3;
/** For so long after the last failure this node is not a good candidate; then it may try again. */
const LASTS_MS = 10_000;

/**
 * Remembers that the local sequencer cannot be started although the node looks healthy: a leader that tries for ever
 * halts the chain (op-conductor.md §3.4: `unsafe head mismatch` without end).
 */
export class StartTrouble {
  private failures = 0;
  private lastMs = -Infinity;
  private reason = '';

  failed(error: Error, nowMs: number): void {
    // Leadership has gone, or the history is at fault: decided elsewhere.
    if (error instanceof StartRefusedError && error.code === 'not-leader') return;
    if (error instanceof BehindError && error.code === 'history-too-short') return;
    if (nowMs - this.lastMs > LASTS_MS) this.failures = 0;
    // A node that has not moved through all the time it was given has had its chances.
    this.failures += error instanceof BehindError ? FAILURES : 1;
    this.lastMs = nowMs;
    this.reason = `the sequencer cannot be started: ${error.message}`;
  }

  /** It was started. */
  over(): void {
    this.failures = 0;
  }

  /** Why this node should not lead now; undefined if it may. */
  at(nowMs: number): string | undefined {
    return this.failures >= FAILURES && nowMs - this.lastMs <= LASTS_MS ? this.reason : undefined;
  }
}

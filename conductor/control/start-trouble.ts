import { ClientError } from '../../rpc/clients/client-error.js';
import { StartRefusedError } from '../../rpc/clients/start-refusal.js';
import { BehindError } from './bring-to-head.js';
import { StartElsewhereError, StartHeldError } from './start-held.js';

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
    // The history is at fault: decided elsewhere.
    if (error instanceof BehindError && error.code === 'history-too-short') return;
    // Nothing has failed.
    if (error instanceof StartHeldError || error instanceof StartElsewhereError) return;
    if (nowMs - this.lastMs > LASTS_MS) this.failures = 0;
    this.failures += tookItsTime(error) ? FAILURES : 1;
    this.lastMs = nowMs;
    this.reason = `the sequencer cannot be started: ${error.message}`;
  }

  /** It was started, or is to have new chances. */
  reset(): void {
    this.failures = 0;
  }

  /** Why this node should not lead now; undefined if it may. */
  reasonAt(nowMs: number): string | undefined {
    return this.failures >= FAILURES && nowMs - this.lastMs <= LASTS_MS ? this.reason : undefined;
  }
}

/** A node that has not moved, come round or answered through all the time it was given has had its chances. */
function tookItsTime(error: Error): boolean {
  return (
    error instanceof BehindError ||
    (error instanceof StartRefusedError && error.isTransient) ||
    (error instanceof ClientError && error.code === 'timeout')
  );
}

import { ClientError } from '../../rpc/clients/client-error.js';
import { StartRefusedError } from '../../rpc/clients/start-refusal.js';
import { BehindError } from './bring-to-head.js';
import { StartElsewhereError, StartHeldError } from './start-held.js';

/** Starts in a row that must fail, or be undone, before another node is expected to do better. */
const FAILURES = 3;
/** For this long after the last failure this node is not a good candidate; then it may try again. */
const LASTS_MS = 10_000;

/**
 * Remembers that the local sequencer cannot be started although the node looks healthy: a leader that tries forever
 * halts the chain (docs/reference/op-conductor.md §3.3).
 */
export class StartTrouble {
  private failures = 0;
  private abandonments = 0;
  private lastMs = -Infinity;
  private reason = '';

  failed(error: Error, nowMs: number): void {
    // The history is at fault: decided elsewhere.
    if (error instanceof BehindError && error.code === 'history-too-short') return;
    // Nothing has failed.
    if (error instanceof StartHeldError || error instanceof StartElsewhereError) return;
    this.forgetOld(nowMs);
    this.failures += tookItsTime(error) ? FAILURES : 1;
    this.note(`the sequencer cannot be started: ${error.message}`, nowMs);
  }

  /**
   * A running sequencer had to be stopped because it left the committed chain. If that happens repeatedly, its op-node
   * does not accept a committed block; only another member's lead will show whether the other op-nodes do.
   */
  abandoned(reason: string, nowMs: number): void {
    this.forgetOld(nowMs);
    this.abandonments += 1;
    this.note(`the sequencer had to be stopped: ${reason}`, nowMs);
  }

  started(): void {
    this.failures = 0;
  }

  /** It gets new chances. */
  reset(): void {
    this.failures = 0;
    this.abandonments = 0;
  }

  /** Why this node should not lead now; undefined if it may. */
  reasonAt(nowMs: number): string | undefined {
    const isBad = Math.max(this.failures, this.abandonments) >= FAILURES;
    return isBad && nowMs - this.lastMs <= LASTS_MS ? this.reason : undefined;
  }

  private note(reason: string, nowMs: number): void {
    this.reason = reason;
    this.lastMs = nowMs;
  }

  private forgetOld(nowMs: number): void {
    if (nowMs - this.lastMs > LASTS_MS) this.reset();
  }
}

/** No further attempt for a node that has not moved, come round or answered in all the time given. */
function tookItsTime(error: Error): boolean {
  return (
    error instanceof BehindError ||
    (error instanceof StartRefusedError && error.isTransient) ||
    (error instanceof ClientError && error.code === 'timeout')
  );
}

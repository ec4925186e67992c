import { broken, type Evidence, type Invariant } from './invariant.js';

const WINDOW_MS = 60_000;
/** Successive faults of all kinds are reasons to move leadership, but not without limit. */
const UNDER_FAULTS_MAX = 24;
/** Once all has been calm for a while. */
const IN_CALM_MAX = 3;
const CALM_AFTER_MS = 60_000;

/**
 * Control loops request a bounded number of transfers. Each attempt costs the sequencer its block, and a transfer that
 * cannot succeed is easily repeated forever.
 */
export class FewTransfers implements Invariant {
  readonly name = 'few-transfers';
  private atMs: number[] = [];

  constructor(private readonly evidence: Evidence) {}

  transferred(nodeId: string): void {
    const { nowMs, calmSinceMs } = this.evidence;
    this.atMs = [...this.atMs.filter((atMs) => nowMs - atMs < WINDOW_MS), nowMs];
    const calmFromMs = calmSinceMs === undefined ? Infinity : calmSinceMs + CALM_AFTER_MS;
    const inCalm = this.atMs.filter((atMs) => atMs > calmFromMs).length;
    if (this.atMs.length <= UNDER_FAULTS_MAX && inCalm <= IN_CALM_MAX) return;
    broken(
      this,
      `${this.atMs.length} transfers within a minute, ${inCalm} of them in calm; the last by ${nodeId}`,
    );
  }
}

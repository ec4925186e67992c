import { broken, type Evidence, type Invariant } from './invariant.js';

const WINDOW_MS = 60_000;
/** Faults of all kinds, one after the other, are reasons to move leadership; not without end. */
const UNDER_FAULTS_MAX = 24;
/** Once all is calm for a while. */
const IN_CALM_MAX = 3;
const CALM_AFTER_MS = 60_000;

/**
 * Control loops ask to hand leadership over only so often. Each attempt costs the sequencer its block, and a hand-over that
 * cannot succeed is easily tried forever.
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

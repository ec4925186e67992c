import { broken, type Evidence, type Invariant } from './invariant.js';

const WINDOW_MS = 60_000;
/** Successive faults of all kinds are reasons to move leadership, but not without limit. */
const UNDER_FAULTS_MAX = 24;
/**
 * Where faults come faster than one in a second, there are more reasons in a minute: every second fault, at most, moves
 * leadership. A transfer that is repeated for no new reason comes many times in a second, and is beyond that soon.
 */
const PER_FAULT_MAX = 1 / 2;
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
  private faultsAtMs: number[] = [];

  constructor(private readonly evidence: Evidence) {}

  faulted(): void {
    this.faultsAtMs = [...this.recent(this.faultsAtMs), this.evidence.nowMs];
  }

  transferred(nodeId: string): void {
    const { nowMs, calmSinceMs } = this.evidence;
    this.atMs = [...this.recent(this.atMs), nowMs];
    const max = Math.max(UNDER_FAULTS_MAX, this.recent(this.faultsAtMs).length * PER_FAULT_MAX);
    const calmFromMs = calmSinceMs === undefined ? Infinity : calmSinceMs + CALM_AFTER_MS;
    const inCalm = this.atMs.filter((atMs) => atMs > calmFromMs).length;
    if (this.atMs.length <= max && inCalm <= IN_CALM_MAX) return;
    broken(
      this,
      `${this.atMs.length} transfers within a minute, ${inCalm} of them in calm; the last by ${nodeId}`,
    );
  }

  private recent(times: readonly number[]): number[] {
    return times.filter((atMs) => this.evidence.nowMs - atMs < WINDOW_MS);
  }
}

import { broken, type Evidence, type Invariant } from './invariant.js';

/**
 * After all faults, blocks are published again and continue: no faults lead to a state that only an operator can end.
 */
export class BlocksFlow implements Invariant {
  readonly name = 'blocks-flow';

  constructor(
    private readonly evidence: Evidence,
    private readonly blockTimeS: number,
    /** The last part of the calm, in which blocks must flow. */
    private readonly windowMs: number,
  ) {}

  atEnd(): void {
    const { ledger, nowMs } = this.evidence;
    const sinceMs = nowMs - this.windowMs;
    const flowed = ledger.acknowledged.filter(({ atMs }) => atMs >= sinceMs).length;
    const wanted = Math.floor(this.windowMs / (1000 * this.blockTimeS) / 2);
    if (flowed >= wanted) return;
    broken(this, `${flowed} blocks in the last ${this.windowMs} ms, ${wanted} at least were to come`);
  }
}

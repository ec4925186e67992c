import { RpcError } from '../../rpc/server/json-rpc/rpc-error.js';

/** So many records at once, and then this many per second: the log is there for blocks. */
const BURST = 40;
const PER_SECOND = 4;
/** Of the burst, this much is kept for decisions of operators. */
const FOR_DECISIONS = 20;

/** Limits the records that a leader puts into the log. */
export class RecordRate {
  private left = BURST;
  private asOfMs: number;

  constructor(private readonly nowMs: () => number) {
    this.asOfMs = nowMs();
  }

  /** @throws RpcError `rate-limited` */
  take(isDecision: boolean): void {
    const now = this.nowMs();
    this.left = Math.min(BURST, this.left + ((now - this.asOfMs) / 1000) * PER_SECOND);
    this.asOfMs = now;
    if (this.left - 1 < (isDecision ? 0 : FOR_DECISIONS)) {
      throw new RpcError(`more than ${PER_SECOND} records per second: this one was left out`, {
        reason: 'rate-limited',
      });
    }
    this.left -= 1;
  }
}

import type { L1Block } from '../../rpc/clients/op-node-client.js';

/** op-node walks back within seconds after it sees another L1; its own pauses are 12 s. */
const BEFORE_MS = 30_000;
/** It may have done so before it was asked for L1. */
const AFTER_MS = 2000;
/** L1 replaces no blocks that are older. */
const KEPT_BLOCKS = 256;

/** Notes when L1, as the local op-node sees it, replaces blocks: two blocks of one height were seen in turn. */
export class L1Watch {
  private readonly hashes = new Map<number, string>();
  private replacedAtMs = -Infinity;

  /** Blocks that op-node now reports as L1's. */
  note(blocks: readonly L1Block[], nowMs: number): void {
    for (const { number, hash, parentHash } of blocks) {
      this.noteHash(number - 1, parentHash, nowMs);
      this.noteHash(number, hash, nowMs);
    }
    const oldest = Math.max(...this.hashes.keys()) - KEPT_BLOCKS;
    for (const number of this.hashes.keys()) if (number < oldest) this.hashes.delete(number);
  }

  /** L1 was seen to replace blocks shortly before this time, or just after: that is why a client left then. */
  replacedAround(timeMs: number): boolean {
    return this.replacedAtMs >= timeMs - BEFORE_MS && this.replacedAtMs <= timeMs + AFTER_MS;
  }

  private noteHash(number: number, hash: string, nowMs: number): void {
    const before = this.hashes.get(number);
    if (before !== undefined && before !== hash) this.replacedAtMs = nowMs;
    this.hashes.set(number, hash);
  }
}

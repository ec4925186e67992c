import type { ClusterVerdict } from '../../rpc/server/cluster-verdict.js';

/** However often probes and scrapers ask, the members are asked no more often than this. */
const ASK_INTERVAL_MS = 500;

/** The verdict on the cluster for those who ask often: who comes within half a second gets the same one. */
export class SharedVerdict {
  private asked: { atMs: number; answer: Promise<ClusterVerdict> } | undefined;

  /** @param judge asks all members; rejects never */
  constructor(private readonly judge: () => Promise<ClusterVerdict>) {}

  get(): Promise<ClusterVerdict> {
    const nowMs = performance.now();
    if (this.asked === undefined || nowMs - this.asked.atMs > ASK_INTERVAL_MS) {
      this.asked = { atMs: nowMs, answer: this.judge() };
    }
    return this.asked.answer;
  }
}

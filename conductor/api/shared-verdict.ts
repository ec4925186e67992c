import type { ClusterVerdict } from '../../rpc/server/cluster-verdict.js';

/** The members are asked no more often than this, however often probes and scrapers ask. */
const ASK_INTERVAL_MS = 500;

/** The verdict on the cluster for frequent requests: those within half a second share one. */
export class SharedVerdict {
  private asked: { atMs: number; answer: Promise<ClusterVerdict> } | undefined;

  /** @param judge asks all members; never rejects */
  constructor(private readonly judge: () => Promise<ClusterVerdict>) {}

  get(): Promise<ClusterVerdict> {
    const nowMs = performance.now();
    if (this.asked === undefined || nowMs - this.asked.atMs > ASK_INTERVAL_MS) {
      this.asked = { atMs: nowMs, answer: this.judge() };
    }
    return this.asked.answer;
  }
}

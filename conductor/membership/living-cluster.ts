import type { ClusterTiming } from '../../raft/index.js';
import type { Sleep } from '../time/sleep.js';

/** Processes that start together with this one may take this long before they speak. */
const LISTENING_MIN_MS = 1000;

/**
 * How long a founder listens for a cluster that lists its address, ms. A leader sends each member heartbeats. Without a
 * leader, a candidate speaks an election timeout after it lost the leader, and then ten times a second. A connection
 * attempt from before this host was up is given up after an election timeout. The third timeout is for lost frames, and
 * for a cluster whose timing is longer than the flags of this node.
 */
export function listeningMs({ electionTimeoutMs }: Pick<ClusterTiming, 'electionTimeoutMs'>): number {
  return Math.max(LISTENING_MIN_MS, 3 * electionTimeoutMs);
}

/** What this node hears from a cluster that it does not belong to, but that lists its address. */
export class LivingCluster {
  private clusterId: string | undefined;
  private readonly heard = new AbortController();

  /** A frame of that cluster arrived. */
  hear(clusterId: string): void {
    this.clusterId ??= clusterId;
    this.heard.abort();
  }

  /** @returns the cluster as soon as one is heard, possibly at once; undefined after `forMs`, or when `signal` fires */
  async listen(forMs: number, sleep: Sleep, signal: AbortSignal): Promise<string | undefined> {
    await sleep(forMs, AbortSignal.any([signal, this.heard.signal])).catch(() => undefined);
    return this.clusterId;
  }
}

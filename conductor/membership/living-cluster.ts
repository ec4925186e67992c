import type { ClusterTiming } from '../../raft/index.js';
import type { Sleep } from '../time/sleep.js';

/** Processes that are started together with this one need as long before they speak. */
const LISTENING_MIN_MS = 1000;

/**
 * How long a founder listens for a cluster that lists its address, ms. A leader speaks to every member with each heartbeat;
 * without a leader, whoever stands does, an election timeout after it lost one and then ten times a second. A connection
 * that was begun while this host was down is given up after an election timeout. The third is for frames that are lost, and
 * for a cluster whose times are longer than the flags of this node.
 */
export function listeningMs({ electionTimeoutMs }: Pick<ClusterTiming, 'electionTimeoutMs'>): number {
  return Math.max(LISTENING_MIN_MS, 3 * electionTimeoutMs);
}

/** What this node hears of a cluster that it does not belong to, and that lists its address. */
export class LivingCluster {
  private clusterId: string | undefined;
  private readonly heard = new AbortController();

  /** A frame of that cluster came. */
  hear(clusterId: string): void {
    this.clusterId ??= clusterId;
    this.heard.abort();
  }

  /** @returns the cluster as soon as one is heard, also at once; undefined after `forMs`, or when `signal` fires */
  async listen(forMs: number, sleep: Sleep, signal: AbortSignal): Promise<string | undefined> {
    await sleep(forMs, AbortSignal.any([signal, this.heard.signal])).catch(() => undefined);
    return this.clusterId;
  }
}

import type { PeerStats, SyncStatus } from '../rpc/clients/op-node-client.js';
import type { CallOptions } from '../rpc/clients/json-rpc-client.js';

/** What a probe brought: a value, or the reason why there is none. */
export type Probe<T> = { ok: true; value: T } | { ok: false; error: string };

/** Everything the checks look at, gathered in one round. */
export interface Observation {
  syncStatus: Probe<SyncStatus>;
  peerStats: Probe<PeerStats>;
}

/** The part of op-node's API that is probed. Each call must keep its deadline. */
export interface ProbedNode {
  syncStatus(options: CallOptions): Promise<SyncStatus>;
  peerStats(options: CallOptions): Promise<PeerStats>;
}

/** Probes side by side, so that a hung node costs one deadline and not one per probe. Never rejects. */
export async function observe(node: ProbedNode, options: CallOptions): Promise<Observation> {
  const [syncStatus, peerStats] = await Promise.all([
    probe(node.syncStatus(options)),
    probe(node.peerStats(options)),
  ]);
  return { syncStatus, peerStats };
}

async function probe<T>(call: Promise<T>): Promise<Probe<T>> {
  try {
    return { ok: true, value: await call };
  } catch (error) {
    return { ok: false, error: (error as Error).message };
  }
}

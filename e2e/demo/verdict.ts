import type { ProcessCluster } from '../cluster/process-cluster.js';
import type { BlockRef } from '../devnet/payload.js';
import type { CommittedLedger } from './committed-ledger.js';

const LEVEL_WITHIN_MS = 10_000;

/**
 * Compares what all nodes have now with everything ever committed; empty if nothing is wrong. The ledger must not change
 * meanwhile.
 */
export async function chainProblems(cluster: ProcessCluster, ledger: CommittedLedger): Promise<string[]> {
  const highest = ledger.highest?.number ?? 0;
  // The newest block may still be in transit. If it never comes, the comparison reports it.
  await cluster.convergedAt(highest, LEVEL_WITHIN_MS).catch(() => undefined);
  const chains = new Map<string, BlockRef[]>();
  const unreadable: string[] = [];
  for (const { id, devnet } of cluster.nodes) {
    try {
      chains.set(id, await devnet.blocks());
    } catch (error) {
      unreadable.push(`${id} does not show its chain: ${(error as Error).message}`);
    }
  }
  return [...unreadable, ...ledger.problems(chains)];
}

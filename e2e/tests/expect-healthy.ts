import { expect } from '@jest/globals';
import type { ClusterNode, ProcessCluster } from '../cluster/process-cluster.js';
import { lostOrReplaced } from '../cluster/published-blocks.js';

/**
 * Waits until one sequencer runs, blocks flow and every node is healthy, and checks that no block that any node ever
 * had is lost or replaced.
 *
 * @returns the leader
 */
export async function expectHealthy(cluster: ProcessCluster): Promise<ClusterNode> {
  const leader = await cluster.activeLeader();
  await cluster.convergedAt(await cluster.moreBlocks(2));
  expect(await lostOrReplaced(cluster)).toEqual([]);
  await cluster.allHealthy();
  return leader;
}

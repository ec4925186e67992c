import { ProcessCluster } from '../cluster/process-cluster.js';

/** Three conductors whose control loops are paused: the driver is the only one that commits. */
export async function withIdleCluster<T>(work: (cluster: ProcessCluster) => Promise<T>): Promise<T> {
  const cluster = await new ProcessCluster().start({
    size: 3,
    blockTimeMs: 1000,
    formation: 'peers',
    flags: ['--paused'],
  });
  try {
    await cluster.leader();
    return await work(cluster);
  } finally {
    await cluster.stop();
  }
}

import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { Client } from 'undici';
import { KIB } from '../../common/bytes.js';
import type { ProcessCluster } from '../cluster/process-cluster.js';
import { commit } from './commit-latency.js';
import { PayloadChain } from './payload-chain.js';
import { table } from './statistics.js';

const SAMPLE_EVERY = 100;

const mb = (bytes: number): string => (bytes / 1e6).toFixed(0);

/** Resident memory and bytes on disk of every conductor, sampled while many payloads are committed. */
export async function footprint(cluster: ProcessCluster, count: number, bytes: number): Promise<string> {
  const leader = await cluster.leader();
  const client = new Client(leader.baton.rpcUrl);
  const chain = new PayloadChain(1_000_000);
  const peaks = cluster.nodes.map(() => ({ memory: 0, disk: 0 }));
  for (let round = 0; round < count; round++) {
    await commit(client, chain.next(bytes));
    if (round % SAMPLE_EVERY !== 0) continue;
    for (const [index, { baton }] of cluster.nodes.entries()) {
      const peak = peaks[index] as { memory: number; disk: number };
      peak.memory = Math.max(peak.memory, await residentBytes(baton.pid as number));
      peak.disk = Math.max(peak.disk, await directoryBytes(baton.options.storageDir));
    }
  }
  await client.close();
  const rows = [['node', 'role', 'memory now MB', 'memory peak MB', 'disk now MB', 'disk peak MB']];
  for (const [index, { id, baton }] of cluster.nodes.entries()) {
    const peak = peaks[index] as { memory: number; disk: number };
    rows.push([
      id,
      baton === leader.baton ? 'leader' : 'follower',
      mb(await residentBytes(baton.pid as number)),
      mb(peak.memory),
      mb(await directoryBytes(baton.options.storageDir)),
      mb(peak.disk),
    ]);
  }
  return table(rows);
}

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? NaN) * KIB;
}

async function directoryBytes(directory: string): Promise<number> {
  let sum = 0;
  for (const entry of await readdir(directory, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    // A compaction may delete a file meanwhile.
    const found = await stat(path.join(entry.parentPath, entry.name)).catch(() => undefined);
    sum += (found?.blocks ?? 0) * 512;
  }
  return sum;
}

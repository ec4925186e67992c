import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'undici';
import { CredentialFolder } from '../../cluster/credential-folder.js';
import { ProcessCluster } from '../../cluster/process-cluster.js';
import { commitBinary } from '../commit-latency.js';
import { PayloadChain } from '../payload-chain.js';
import { median, ms, percentile, table } from '../statistics.js';
import { nowMs } from './clock.js';
import { RaftCluster } from './raft-cluster.js';

/** Ways to secure the consensus port. */
export const SECURITIES = ['open', 'tls', 'secret'] as const;
export type Security = (typeof SECURITIES)[number];

const SIZES = [
  { name: '10 kB', bytes: 10_000, warmUpRounds: 1000 },
  { name: '100 kB', bytes: 100_000, warmUpRounds: 50 },
  { name: '1 MB', bytes: 1_000_000, warmUpRounds: 10 },
];
/** Commits of one cluster before it is another's turn: what else the machine does strikes all of them alike. */
const BATCH = 10;
const FIRST_NUMBER = 3_000_000;
/** A busy machine must not move leadership. */
const FLAGS = ['--paused', '--raft.heartbeat-timeout', '3s'];
const SECRET = 'b'.repeat(64);
/** Faults must not always fall into the same moment of a heartbeat interval. */
const PHASE_MS = 200;

interface Committer {
  security: Security;
  client: Client;
  chain: PayloadChain;
  samples: number[];
}

/** Commit latency with the consensus port secured in these ways, in turns on clusters that run side by side. */
export async function securedCommits(securities: readonly Security[], rounds: number): Promise<string> {
  const folder = await CredentialFolder.make();
  const clusters: ProcessCluster[] = [];
  try {
    const committers: Committer[] = [];
    for (const security of securities) {
      const flagsOf = await flagsFor(folder, security, ['sequencer-0', 'sequencer-1', 'sequencer-2']);
      const cluster = new ProcessCluster();
      clusters.push(cluster);
      await cluster.start({
        ...{ size: 3, blockTimeMs: 1000, formation: 'peers', flags: FLAGS },
        flagsOf,
      });
      const client = new Client((await cluster.leader()).baton.rpcUrl);
      committers.push({ security, client, chain: new PayloadChain(FIRST_NUMBER), samples: [] });
    }
    const rows = [['payload', ...securities.flatMap((security) => [`${security} p50 ms`, 'p99', '× first'])]];
    for (const { name, bytes, warmUpRounds } of SIZES) {
      for (const { client, chain } of committers) {
        for (let round = 0; round < warmUpRounds; round++)
          await commitBinary(client, chain.nextBinary(bytes));
      }
      for (const committer of committers) committer.samples = [];
      for (let batch = 0; batch < rounds / BATCH; batch++) {
        for (const { client, chain, samples } of committers) {
          for (let at = 0; at < BATCH; at++)
            samples.push(await commitBinary(client, chain.nextBinary(bytes)));
        }
      }
      const first = median(committers[0]!.samples);
      rows.push([
        name,
        ...committers.flatMap(({ samples }) => [
          ms(median(samples)),
          ms(percentile(samples, 0.99)),
          (median(samples) / first).toFixed(2),
        ]),
      ]);
    }
    await Promise.all(committers.map(({ client }) => client.close()));
    return table(rows);
  } finally {
    await Promise.all(clusters.map((cluster) => cluster.stop()));
    await folder.remove();
  }
}

/** From kill -9 of the leader to the committed no-op of the next one, in turns on clusters that run side by side. */
export async function securedFailovers(securities: readonly Security[], rounds: number): Promise<string> {
  const folder = await CredentialFolder.make();
  const clusters: { security: Security; cluster: RaftCluster; samples: number[] }[] = [];
  try {
    for (const security of securities) {
      const flagsOf = await flagsFor(folder, security, ['node-0', 'node-1', 'node-2']);
      clusters.push({ security, cluster: await RaftCluster.start(3, flagsOf), samples: [] });
    }
    for (let round = 0; round < rounds; round++) {
      for (const { cluster, samples } of clusters) {
        const { leader, term } = await cluster.settled();
        await sleep(Math.random() * PHASE_MS);
        const next = cluster.nextReady(leader, term);
        const struckAtMs = nowMs();
        leader.signal('SIGKILL');
        samples.push((await next).atMs - struckAtMs);
        await leader.end();
        await leader.start();
      }
    }
    const rows = clusters.map(({ security, samples }) => [
      ...[security, String(rounds), ms(median(samples)), ms(percentile(samples, 0.99))],
      ms(Math.max(...samples)),
    ]);
    return table([['consensus port', 'rounds', 'p50 ms', 'p99', 'worst'], ...rows]);
  } finally {
    await Promise.all(clusters.map(({ cluster }) => cluster.stop()));
    await folder.remove();
  }
}

/** The flags of each member, by its position; their files are written. */
async function flagsFor(
  folder: CredentialFolder,
  security: Security,
  ids: readonly string[],
): Promise<(index: number) => string[]> {
  if (security === 'open') return () => [];
  const isTls = security === 'tls';
  for (const id of ids) await (isTls ? folder.issue(id) : folder.writeSecrets(id, SECRET));
  return (index) => {
    const id = ids[index]!;
    return isTls ? folder.certificateFlags(id) : folder.secretFlags(id);
  };
}

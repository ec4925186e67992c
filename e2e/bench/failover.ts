import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterNode, ProcessCluster } from '../cluster/process-cluster.js';
import { waitFor } from '../cluster/wait-for.js';
import { median, ms, percentile, table } from './statistics.js';

const POLL_MS = 4;
/** How long the arrival of blocks is watched after a fault. */
const WATCH_MS = 4000;

interface Fault {
  name: string;
  strike(leader: ClusterNode): Promise<void> | void;
  repair(leader: ClusterNode, cluster: ProcessCluster): Promise<void>;
}

const nothing = async (): Promise<void> => undefined;

const FAULTS: readonly Fault[] = [
  {
    name: 'kill -9 of conductor and node',
    strike: (leader) => {
      process.kill(leader.baton.pid as number, 'SIGKILL');
      process.kill(leader.devnet.pid as number, 'SIGKILL');
    },
    repair: async (leader, cluster) => {
      await cluster.killMachine(leader);
      await cluster.restartMachine(leader);
    },
  },
  {
    name: 'kill -9 of the node alone',
    strike: (leader) => void process.kill(leader.devnet.pid as number, 'SIGKILL'),
    repair: (leader) => leader.devnet.restart(),
  },
  {
    name: 'op-node hangs',
    strike: (leader) => leader.devnet.control('hang', { target: 'op-node' }),
    repair: (leader) => leader.devnet.control('resume', {}),
  },
  {
    name: 'SIGTERM of the conductor',
    strike: (leader) => leader.baton.signal('SIGTERM'),
    repair: async (leader) => {
      await waitFor('the conductor to leave', () => leader.baton.pid === undefined);
      await leader.baton.start();
    },
  },
  {
    name: 'conductor_transferLeader',
    strike: async (leader) => void (await leader.baton.call('conductor_transferLeader')),
    repair: nothing,
  },
];

interface Observation {
  /** From the fault until another node's sequencer is active. */
  startMs: number;
  /** The greatest delay of a block after its timestamp, above the normal delay here. */
  latenessMs: number;
}

/**
 * Failover under each fault, the given number of times. The blocks are watched on the two other nodes.
 *
 * @param only part of the names of the faults to run; all by default
 */
export async function failover(
  cluster: ProcessCluster,
  { rounds, only = '' }: { rounds: number; only?: string | undefined },
): Promise<string> {
  const rows = [['fault', 'start p50 ms', 'p99', 'worst', 'lateness p50 ms', 'p99', 'worst']];
  for (const fault of FAULTS.filter(({ name }) => name.includes(only))) {
    const seen: Observation[] = [];
    for (let round = 0; round < rounds; round++) {
      seen.push(await oneRound(cluster, fault));
    }
    const columns = (samples: number[]): string[] => [
      ms(median(samples)),
      ms(percentile(samples, 0.99)),
      ms(Math.max(...samples)),
    ];
    rows.push([
      fault.name,
      ...columns(seen.map((o) => o.startMs)),
      ...columns(seen.map((o) => o.latenessMs)),
    ]);
  }
  return table(rows);
}

async function oneRound(cluster: ProcessCluster, fault: Fault): Promise<Observation> {
  const leader = await settled(cluster);
  const others = cluster.others(leader);
  // Faults must not always hit the same moment of a slot.
  await sleep(Math.random() * 1000);
  const normal = await lateness(others, 1500);
  const struckAt = performance.now();
  const started = watchStart(others, struckAt);
  const late = lateness(others, WATCH_MS);
  await fault.strike(leader);
  const observation = {
    startMs: await started,
    latenessMs: Math.max(0, (await late) - normal),
  };
  await fault.repair(leader, cluster);
  return observation;
}

/** All nodes healthy, one of them sequencing. */
async function settled(cluster: ProcessCluster): Promise<ClusterNode> {
  await waitFor(
    'all nodes healthy',
    async () => {
      const healthy = await Promise.all(
        cluster.nodes.map(({ baton }) => baton.call<boolean>('conductor_sequencerHealthy')),
      );
      return healthy.every(Boolean);
    },
    60_000,
  );
  return cluster.activeLeader(60_000);
}

async function watchStart(others: readonly ClusterNode[], struckAt: number): Promise<number> {
  const end = struckAt + 30_000;
  while (performance.now() < end) {
    const states = await Promise.all(others.map(({ devnet }) => devnet.state().catch(() => undefined)));
    if (states.some((state) => state?.active)) return performance.now() - struckAt;
    await sleep(POLL_MS);
  }
  return Infinity;
}

/** The greatest delay of a block after its timestamp while watching, including the wait for a missing one. */
async function lateness(nodes: readonly ClusterNode[], forMs: number): Promise<number> {
  const end = performance.now() + forMs;
  let worst = 0;
  let newest: { number: number; timestamp: number } | undefined;
  while (performance.now() < end) {
    const states = await Promise.all(nodes.map(({ devnet }) => devnet.state().catch(() => undefined)));
    for (const head of states.flatMap((state) => (state ? [state.head] : []))) {
      if (newest && head.number > newest.number) worst = Math.max(worst, Date.now() - head.timestamp * 1000);
      if (!newest || head.number > newest.number) newest = head;
    }
    await sleep(POLL_MS);
  }
  if (newest) worst = Math.max(worst, Date.now() - (newest.timestamp + 1) * 1000);
  return worst;
}

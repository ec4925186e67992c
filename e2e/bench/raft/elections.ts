import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { median, ms, percentile, table } from '../statistics.js';
import { nowMs } from './clock.js';
import { RaftCluster, type RaftProcess } from './raft-cluster.js';

/** Faults must not always hit the same moment of a heartbeat interval. */
const PHASE_MS = 200;

interface Fault {
  name: string;
  /** Strikes the leader and returns when, by the clock that all processes share. */
  strike(leader: RaftProcess): Promise<number>;
  repair(leader: RaftProcess): Promise<unknown>;
}

const FAULTS: readonly Fault[] = [
  {
    name: 'kill -9 (crash evidence)',
    strike: async (leader) => {
      const atMs = nowMs();
      leader.signal('SIGKILL');
      return atMs;
    },
    repair: async (leader) => {
      await leader.end();
      await leader.start();
    },
  },
  {
    name: 'SIGSTOP (silent death)',
    strike: async (leader) => {
      const atMs = nowMs();
      leader.signal('SIGSTOP');
      return atMs;
    },
    repair: async (leader) => leader.signal('SIGCONT'),
  },
  {
    name: 'transfer',
    strike: async (leader) => {
      const transferring = once(leader.reports, 'transferring') as Promise<[number]>;
      leader.order({ type: 'transfer' });
      const [atMs] = await transferring;
      return atMs;
    },
    repair: async () => undefined,
  },
];

/** From the fault to the committed no-op of the next leader, and how many of those elections took only one term. */
export async function elections(rounds: number): Promise<string> {
  const rows = [['leader', 'rounds', 'p50 ms', 'p99', 'worst', 'elections in one term']];
  const cluster = await RaftCluster.start(3);
  try {
    for (const fault of FAULTS) {
      const samples: number[] = [];
      let inOneTerm = 0;
      for (let round = 0; round < rounds; round++) {
        const { leader, term } = await cluster.settled();
        await sleep(Math.random() * PHASE_MS);
        const next = cluster.nextReady(leader, term);
        const struckAtMs = await fault.strike(leader);
        const ready = await next;
        samples.push(ready.atMs - struckAtMs);
        if (ready.term === term + 1) inOneTerm += 1;
        await fault.repair(leader);
      }
      rows.push([
        fault.name,
        String(rounds),
        ms(median(samples)),
        ms(percentile(samples, 0.99)),
        ms(Math.max(...samples)),
        `${((100 * inOneTerm) / rounds).toFixed(1)} %`,
      ]);
    }
  } finally {
    await cluster.stop();
  }
  return table(rows);
}

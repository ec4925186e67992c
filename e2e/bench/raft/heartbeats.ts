import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Pool } from 'undici';
import { conductorStatusSchema, type ConductorStatus } from '../../../rpc/server/conductor-status.js';
import type { ClusterNode, ProcessCluster } from '../../cluster/process-cluster.js';
import { commit } from '../commit-latency.js';
import { PayloadChain } from '../payload-chain.js';
import { ms, percentile, table } from '../statistics.js';

const PAYLOAD_BYTES = 2_000_000;
const PAYLOADS_PER_SECOND = 10;
const REQUESTS_PER_SECOND = 2000;
const SAMPLE_EVERY_MS = 20;
const RPC_CONNECTIONS = 16;
const FIRST_NUMBER = 2_000_000;

/** Runs until the signal. Returns how much it did. */
type Load = (leader: ClusterNode, signal: AbortSignal) => Promise<number>;

const payloads: Load = async (leader, signal) => {
  const client = new Client(leader.baton.rpcUrl);
  const chain = new PayloadChain(FIRST_NUMBER);
  let committed = 0;
  for (let due = performance.now(); !signal.aborted; due += 1000 / PAYLOADS_PER_SECOND) {
    await sleep(Math.max(0, due - performance.now()));
    await commit(client, chain.next(PAYLOAD_BYTES));
    committed += 1;
  }
  await client.close();
  return committed;
};

const requests: Load = async (leader, signal) => {
  const pool = new Pool(leader.baton.rpcUrl, { connections: RPC_CONNECTIONS });
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'conductor_leader', params: [] });
  const headers = { 'content-type': 'application/json' };
  const ask = async (): Promise<void> => {
    const answer = await pool.request({ method: 'POST', path: '/', headers, body });
    await answer.body.dump();
  };
  let asked = 0;
  let answered: Promise<void>[] = [];
  for (const start = performance.now(); !signal.aborted;) {
    const due = Math.floor(((performance.now() - start) * REQUESTS_PER_SECOND) / 1000);
    for (; asked < due; asked++) answered.push(ask());
    await Promise.all(answered);
    answered = [];
    await sleep(1);
  }
  await pool.close();
  return asked;
};

const LOADS: readonly { name: string; unit: string; run: Load }[] = [
  { name: 'none', unit: '', run: async () => 0 },
  { name: '2 MB payloads, 10 per second', unit: 'commits/s', run: payloads },
  { name: 'JSON-RPC, 2,000 per second', unit: 'requests/s', run: requests },
];

/**
 * How late the followers' acknowledgements of heartbeats are under load, beyond the interval. No election may start.
 * Sampled from the leader's status: the age of the newest acknowledged heartbeat.
 */
export async function heartbeats(
  cluster: ProcessCluster,
  seconds: number,
  intervalMs: number,
): Promise<string> {
  const rows = [['load on the leader', 'reached', 'lateness p50 ms', 'p99', 'worst', 'elections']];
  for (const { name, unit, run } of LOADS) {
    const leader = await cluster.leader();
    const before = await statusOf(leader);
    const done = new AbortController();
    const load = run(leader, done.signal);
    const samples: number[] = [];
    for (
      const end = performance.now() + 1000 * seconds;
      performance.now() < end;
      await sleep(SAMPLE_EVERY_MS)
    ) {
      const { peers } = await statusOf(leader);
      samples.push(...peers.map((peer) => Math.max(0, peer.lastContactMs - intervalMs)));
    }
    done.abort();
    const amount = await load;
    rows.push([
      name,
      unit === '' ? '' : `${(amount / seconds).toFixed(0)} ${unit}`,
      ms(percentile(samples, 0.5)),
      ms(percentile(samples, 0.99)),
      ms(Math.max(...samples)),
      String((await statusOf(await cluster.leader())).term - before.term),
    ]);
  }
  return table(rows);
}

async function statusOf({ baton }: ClusterNode): Promise<ConductorStatus> {
  return conductorStatusSchema.parse(await baton.call('conductor_status'));
}

import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from 'undici';
import { ChildProcess } from '../../common/testing/child-process.js';
import type { ProcessCluster } from '../cluster/process-cluster.js';
import { commit } from './commit-latency.js';
import { PayloadChain } from './payload-chain.js';
import { median, ms, percentile, table } from './statistics.js';

const PAYLOAD_BYTES = 1_000_000;
const WARM_UP = 5;
/** Target of requests per second. Infinity means as fast as answers come. */
const RATES = [0, 1000, Infinity];

/** Commits of 1 MB each second, alone and together with getters to the same node from another process. */
export async function getters(cluster: ProcessCluster, seconds: number): Promise<string> {
  const leader = await cluster.leader();
  const client = new Client(leader.baton.rpcUrl);
  const chain = new PayloadChain(1000);
  const rows = [
    ['getters asked for', 'answered per s', 'getter p50 ms', 'p99', 'commit p50 ms', 'p99', 'p99 × alone'],
  ];
  for (let round = 0; round < WARM_UP; round++) await commit(client, chain.next(PAYLOAD_BYTES));
  let aloneMs = NaN;
  for (const rate of RATES) {
    const load = rate === 0 ? undefined : await startLoad(leader.baton.rpcUrl, rate);
    const samples: number[] = [];
    const end = performance.now() + 1000 * seconds;
    for (let due = performance.now(); due < end; due += 1000) {
      const body = chain.next(PAYLOAD_BYTES);
      await sleep(Math.max(0, due - performance.now()));
      samples.push(await commit(client, body));
    }
    const answered = load && (await stopLoad(load));
    const p99 = percentile(samples, 0.99);
    if (rate === 0) aloneMs = p99;
    rows.push([
      rate === 0 ? 'none' : rate === Infinity ? 'all it can' : `${rate} per s`,
      answered ? answered.perSecond.toFixed(0) : '',
      answered ? ms(answered.p50Ms) : '',
      answered ? ms(answered.p99Ms) : '',
      ms(median(samples)),
      ms(p99),
      (p99 / aloneMs).toFixed(1),
    ]);
  }
  await client.close();
  return table(rows);
}

/** What `getter-load.ts` prints at its end. */
export interface GetterReport {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
}

async function startLoad(url: string, rate: number): Promise<ChildProcess> {
  const script = fileURLToPath(new URL('./getter-load.ts', import.meta.url));
  const load = new ChildProcess({ name: 'the load of getters' });
  await load.start([process.execPath, '--import', 'tsx', script, url, String(rate)]);
  return load;
}

async function stopLoad(load: ChildProcess): Promise<GetterReport> {
  const report = load.nextLine();
  load.endInput();
  return JSON.parse(await report) as GetterReport;
}

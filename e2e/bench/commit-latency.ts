import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'undici';
import { measureFloor } from './floor.js';
import { PayloadChain } from './payload-chain.js';
import { median, ms, percentile, table } from './statistics.js';

const SIZES = [
  { name: '10 kB', bytes: 10_000, rounds: 300 },
  { name: '100 kB', bytes: 100_000, rounds: 300 },
  { name: '500 kB', bytes: 500_000, rounds: 100 },
  { name: '1 MB', bytes: 1_000_000, rounds: 60 },
  { name: '2 MB', bytes: 2_000_000, rounds: 40 },
];
const PACED_PER_SECOND = 10;
const PACED_ROUNDS = 50;
const FLOOR_ROUNDS = 50;
const PACED_FLOOR_ROUNDS = 20;
const WARM_UP = 20;

/**
 * Commit latency through `conductor_commitUnsafePayload`, as a client sees it, of any conductor.
 *
 * @param urls RPC URLs of the cluster; the leader among them gets the load
 * @param firstNumber a height above everything that the cluster holds
 */
export async function commitLatency(urls: readonly string[], firstNumber: number): Promise<string> {
  const client = new Client(await findLeader(urls));
  const chain = new PayloadChain(firstNumber);
  const rows = [
    [
      ...['payload', 'floor ms', 'back to back p50', 'p99', 'p50 × floor'],
      ...['floor ms', '10 per s p50', 'p99', 'p50 × floor'],
    ],
  ];
  for (let round = 0; round < WARM_UP; round++) await commit(client, chain.next(10_000));
  for (const { name, bytes, rounds } of SIZES) {
    const floor = await measureFloor(bytes, FLOOR_ROUNDS, 0);
    const burst: number[] = [];
    for (let round = 0; round < rounds; round++) burst.push(await commit(client, chain.next(bytes)));
    const pacedFloor = await measureFloor(bytes, PACED_FLOOR_ROUNDS, 1000 / PACED_PER_SECOND);
    const paced: number[] = [];
    let due = performance.now();
    for (let round = 0; round < PACED_ROUNDS; round++) {
      due += 1000 / PACED_PER_SECOND;
      const body = chain.next(bytes);
      await sleep(Math.max(0, due - performance.now()));
      paced.push(await commit(client, body));
    }
    const columns = (floorMs: number, samples: number[]): string[] => [
      ms(floorMs),
      ms(median(samples)),
      ms(percentile(samples, 0.99)),
      (median(samples) / floorMs).toFixed(1),
    ];
    rows.push([name, ...columns(floor, burst), ...columns(pacedFloor, paced)]);
  }
  await client.close();
  return table(rows);
}

async function findLeader(urls: readonly string[]): Promise<string> {
  for (const url of urls) {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'conductor_leader', params: [] }),
    });
    if (((await answer.json()) as { result?: boolean }).result) return url;
  }
  throw new Error(`none of ${urls.join(', ')} leads`);
}

/** One commit, in ms; throws unless it succeeded. */
export async function commit(client: Client, body: Buffer): Promise<number> {
  const start = performance.now();
  const answer = await client.request({
    method: 'POST',
    path: '/',
    headers: { 'content-type': 'application/json' },
    body,
  });
  const text = await answer.body.text();
  const elapsed = performance.now() - start;
  if (!text.includes('"result":null')) throw new Error(`commit failed: ${text.slice(0, 300)}`);
  return elapsed;
}

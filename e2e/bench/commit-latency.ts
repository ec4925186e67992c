import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'undici';
import { measureFloor } from './floor.js';
import { PayloadChain } from './payload-chain.js';
import { median, ms, percentile, table } from './statistics.js';

const SIZES = [
  // Connections are open, but hardly anything is compiled.
  { name: '10 kB, cold', bytes: 10_000, rounds: 300, warmUpRounds: 20 },
  // V8 has compiled what an hour of a chain uses.
  { name: '10 kB', bytes: 10_000, rounds: 300, warmUpRounds: 2000 },
  { name: '100 kB', bytes: 100_000, rounds: 300 },
  { name: '500 kB', bytes: 500_000, rounds: 100 },
  { name: '1 MB', bytes: 1_000_000, rounds: 60 },
  { name: '2 MB', bytes: 2_000_000, rounds: 40 },
];
const PACED_PER_SECOND = 10;
const PACED_ROUNDS = 50;
const FLOOR_ROUNDS = 50;
const PACED_FLOOR_ROUNDS = 20;

/** Fraction of the rounds for a quick check that it works. */
const QUICK_SHARE = 0.05;

export interface CommitLatencyOptions {
  /** RPC URLs of the cluster. The leader among them gets the load. */
  urls: readonly string[];
  /** A height above everything that the cluster holds. */
  firstNumber: number;
  /** By `POST /commit-unsafe-payload` instead of `conductor_commitUnsafePayload`. */
  binary: boolean;
  /** Few rounds: the numbers mean little. */
  quick: boolean;
}

/** Commit latency as a client sees it, of any conductor. Sizes are those of the body that is sent. */
export async function commitLatency(options: CommitLatencyOptions): Promise<string> {
  const client = new Client(await findLeader(options.urls));
  const chain = new PayloadChain(options.firstNumber);
  const times = (rounds: number): number => Math.ceil(rounds * (options.quick ? QUICK_SHARE : 1));
  const next = (bytes: number): Buffer => (options.binary ? chain.nextBinary(bytes) : chain.next(bytes));
  const send = options.binary ? commitBinary : commit;
  const rows = [
    [
      ...['payload', 'floor ms', 'back to back p50', 'p99', 'p50 × floor'],
      ...['floor ms', '10 per s p50', 'p99', 'p50 × floor'],
    ],
  ];
  for (const { name, bytes, rounds, warmUpRounds = 0 } of SIZES) {
    for (let round = 0; round < times(warmUpRounds); round++) await send(client, next(bytes));
    const floor = await measureFloor(bytes, times(FLOOR_ROUNDS), 0);
    const burst: number[] = [];
    for (let round = 0; round < times(rounds); round++) burst.push(await send(client, next(bytes)));
    const pacedFloor = await measureFloor(bytes, times(PACED_FLOOR_ROUNDS), 1000 / PACED_PER_SECOND);
    const paced: number[] = [];
    let due = performance.now();
    for (let round = 0; round < times(PACED_ROUNDS); round++) {
      due += 1000 / PACED_PER_SECOND;
      const body = next(bytes);
      await sleep(Math.max(0, due - performance.now()));
      paced.push(await send(client, body));
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

/** One commit by JSON-RPC, in ms; throws unless it succeeded. */
export async function commit(client: Client, body: Buffer): Promise<number> {
  const { text, elapsedMs } = await post(client, '/', 'application/json', body);
  if (!text.includes('"result":null')) throw new Error(`commit failed: ${text.slice(0, 300)}`);
  return elapsedMs;
}

/** One commit by `POST /commit-unsafe-payload`, in ms; throws unless it succeeded. */
export async function commitBinary(client: Client, body: Buffer): Promise<number> {
  const { status, text, elapsedMs } = await post(
    client,
    '/commit-unsafe-payload',
    'application/octet-stream',
    body,
  );
  if (status !== 200) throw new Error(`commit failed: ${status} ${text.slice(0, 300)}`);
  return elapsedMs;
}

async function post(
  client: Client,
  path: string,
  contentType: string,
  body: Buffer,
): Promise<{ status: number; text: string; elapsedMs: number }> {
  const start = performance.now();
  const answer = await client.request({
    method: 'POST',
    path,
    headers: { 'content-type': contentType },
    body,
  });
  const text = await answer.body.text();
  return { status: answer.statusCode, text, elapsedMs: performance.now() - start };
}

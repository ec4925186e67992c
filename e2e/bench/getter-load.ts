import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'undici';
import type { GetterReport } from './getters.js';
import { median, percentile } from './statistics.js';

/** Asks one conductor who leads, over several connections, until its input ends. Then prints a report. */
const CONNECTIONS = 16;
const BODY = '{"jsonrpc":"2.0","id":1,"method":"conductor_leader","params":[]}';

const [url = '', rateText = ''] = process.argv.slice(2);
const pauseMs = (1000 * CONNECTIONS) / Number(rateText);
const samples: number[] = [];
let ended = false;

async function ask(connection: number): Promise<void> {
  const client = new Client(url);
  let due = performance.now() + (connection * pauseMs) / CONNECTIONS;
  while (!ended) {
    if (pauseMs > 0) await sleep(Math.max(0, due - performance.now()));
    due += pauseMs;
    const start = performance.now();
    const headers = { 'content-type': 'application/json' };
    const answer = await client.request({ method: 'POST', path: '/', headers, body: BODY });
    await answer.body.dump();
    samples.push(performance.now() - start);
  }
  await client.close();
}

const startedAt = performance.now();
process.stdin.on('end', () => (ended = true)).resume();
console.log('running');
await Promise.all(Array.from({ length: CONNECTIONS }, (_, connection) => ask(connection)));
const report: GetterReport = {
  perSecond: (1000 * samples.length) / (performance.now() - startedAt),
  p50Ms: median(samples),
  p99Ms: percentile(samples, 0.99),
};
console.log(JSON.stringify(report));
process.exit(0);

import { open, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from 'undici';
import { ChildProcess } from '../../common/testing/child-process.js';
import { median } from './statistics.js';

/**
 * What no conductor can beat on this machine: one fdatasync of this many bytes, and one HTTP round trip with a body of that
 * size to another process. The sum of the medians, in ms.
 *
 * @param pauseMs between two rounds: an idle machine answers later than a busy one
 */
export async function measureFloor(bytes: number, rounds: number, pauseMs: number): Promise<number> {
  return (await measureSync(bytes, rounds, pauseMs)) + (await measureRoundTrip(bytes, rounds, pauseMs));
}

async function measureSync(bytes: number, rounds: number, pauseMs: number): Promise<number> {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'baton-floor-'));
  const file = await open(path.join(directory, 'log'), 'w');
  const data = Buffer.alloc(bytes, 1);
  const samples: number[] = [];
  for (let round = 0; round < rounds; round++) {
    if (pauseMs > 0) await sleep(pauseMs);
    const start = performance.now();
    await file.write(data);
    await file.datasync();
    samples.push(performance.now() - start);
  }
  await file.close();
  await rm(directory, { recursive: true });
  return median(samples);
}

async function measureRoundTrip(bytes: number, rounds: number, pauseMs: number): Promise<number> {
  const script = fileURLToPath(new URL('./echo-server.ts', import.meta.url));
  const server = new ChildProcess({ name: 'the echo server' });
  try {
    const port = await server.start([process.execPath, '--import', 'tsx', script]);
    const client = new Client(`http://127.0.0.1:${port}`);
    const body = Buffer.alloc(bytes, 1);
    const samples: number[] = [];
    for (let round = 0; round < rounds; round++) {
      if (pauseMs > 0) await sleep(pauseMs);
      const start = performance.now();
      const answer = await client.request({ method: 'POST', path: '/', body });
      await answer.body.dump();
      samples.push(performance.now() - start);
    }
    await client.close();
    return median(samples);
  } finally {
    await server.kill();
  }
}

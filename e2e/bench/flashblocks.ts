import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { WebSocketServer } from 'ws';
import { ChildProcess } from '../../common/testing/child-process.js';
import { Conductors } from '../cluster/conductors.js';
import { ms, percentile, table } from './statistics.js';

const FRAMES_PER_SECOND = 5;
const CLIENT_PROCESSES = 2;
/** A frame that has not arrived this long after the last one was sent counts as lost. */
const LATEST_MS = 5000;
const KERNEL_TICKS_PER_SECOND = 100;

/** Delivery from the builder through one Baton to many clients in other processes, and what it costs Baton. */
export async function flashblocks(clients: number, seconds: number): Promise<string> {
  const rows = [['frame', 'compressed', 'clients', 'p50 ms', 'p99 ms', 'max ms', 'CPU %', 'lost']];
  for (const [bytes, compression] of [
    [10_000, false],
    [100_000, false],
    [10_000, true],
    [100_000, true],
  ] as const) {
    rows.push(await measure(clients, seconds, bytes, compression));
  }
  return table(rows);
}

async function measure(
  clients: number,
  seconds: number,
  bytes: number,
  compression: boolean,
): Promise<string[]> {
  const builder = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(builder, 'listening');
  const conductors = new Conductors(['a']);
  const listeners = Array.from(
    { length: CLIENT_PROCESSES },
    (_, at) => new ChildProcess({ name: `clients ${at}` }),
  );
  try {
    await conductors.prepare();
    const { port } = builder.address() as { port: number };
    const baton = await conductors.start('a', [
      ...['--paused', '--raft.bootstrap', '--rollupboost.ws-url', `ws://127.0.0.1:${port}`],
      ...['--websocket.server-addr', '127.0.0.1', '--websocket.server-port', '0'],
      ...(compression ? ['--websocket.compression'] : []),
    ]);
    await conductors.leader();
    const started = baton.log.findLast(({ msg }) => msg === 'started');
    const frames = seconds * FRAMES_PER_SECOND;
    const webSocketPort = started?.['webSocketPort'] as number;
    const command = clientsCommand(webSocketPort, clients / CLIENT_PROCESSES, frames, compression);
    await Promise.all(listeners.map((listener) => listener.start(command)));

    const answers = listeners.map((listener) => listener.nextLine());
    const cpuBefore = await cpuSeconds(baton.pid as number);
    const frame = frameOf(bytes);
    const sentMs: number[] = [];
    for (let i = 0; i < frames; i++) {
      sentMs.push(Number(process.hrtime.bigint()) / 1e6);
      for (const connection of builder.clients) connection.send(frame);
      await sleep(1000 / FRAMES_PER_SECOND);
    }
    const late = setTimeout(() => listeners.forEach((listener) => listener.endInput()), LATEST_MS);
    const arrivalsMs = (await Promise.all(answers)).map((line) => JSON.parse(line) as number[][]);
    const delays = arrivalsMs.flatMap((of) =>
      of.flatMap((arrivals, at) => arrivals.map((arrived) => arrived - sentMs[at]!)),
    );
    clearTimeout(late);
    const cpu = (await cpuSeconds(baton.pid as number)) - cpuBefore;
    return [
      `${bytes / 1000} kB`,
      compression ? 'yes' : 'no',
      String(clients),
      ms(percentile(delays, 0.5)),
      ms(percentile(delays, 0.99)),
      ms(percentile(delays, 1)),
      ((100 * cpu) / seconds).toFixed(0),
      String(frames * clients - delays.length),
    ];
  } finally {
    await Promise.all(listeners.map((listener) => listener.kill()));
    await conductors.stop();
    for (const connection of builder.clients) connection.terminate();
    builder.close();
  }
}

function clientsCommand(port: number, clients: number, frames: number, compression: boolean): string[] {
  const script = fileURLToPath(new URL('./flashblocks-clients.ts', import.meta.url));
  return [
    ...[process.execPath, '--import', 'tsx', script, '--port', String(port)],
    ...['--clients', String(clients), '--frames', String(frames)],
    ...(compression ? ['--compression'] : []),
  ];
}

/** Hex of random bytes, which compresses to half its size like real transactions in JSON. */
function frameOf(bytes: number): Buffer {
  return Buffer.from(randomBytes(bytes / 2).toString('hex'), 'latin1');
}

async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / KERNEL_TICKS_PER_SECOND;
}

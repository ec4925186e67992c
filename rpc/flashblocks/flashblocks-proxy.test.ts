import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import type { ClientOptions, ServerOptions } from 'ws';
import { MIB } from '../../common/bytes.js';
import { FlashblocksMetrics } from './flashblocks-metrics.js';
import { FlashblocksProxy, type FlashblocksProxyOptions } from './flashblocks-proxy.js';
import { FakeUpstream } from './testing/fake-upstream.js';
import { Listener } from './testing/listener.js';
import { RecordingObserver } from './testing/recording-observer.js';

const cleanUps: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const WITHIN_MS = 10_000;

/** Waits for a condition, doing something each time that it is not there yet. */
async function until(condition: () => boolean, meanwhile: () => void = () => undefined): Promise<void> {
  const end = performance.now() + WITHIN_MS;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited ${WITHIN_MS} ms for ${condition.toString()}`);
    meanwhile();
    await sleep(2);
  }
}

async function startUpstream(port = 0, options: ServerOptions = {}): Promise<FakeUpstream> {
  const upstream = await FakeUpstream.start(port, options);
  cleanUps.push(() => upstream.stop());
  return upstream;
}

async function listen(port: number, options: ClientOptions = {}): Promise<Listener> {
  const listener = await Listener.connect(port, options);
  cleanUps.push(() => listener.stop());
  return listener;
}

interface Started {
  proxy: FlashblocksProxy;
  port: number;
  observer: RecordingObserver;
  log: { msg: string }[];
  lead: (leads: boolean) => void;
}

async function startProxy(
  options: Partial<FlashblocksProxyOptions> & Pick<FlashblocksProxyOptions, 'upstreamUrl'>,
): Promise<Started> {
  let leads = true;
  const observer = new RecordingObserver();
  const log: { msg: string }[] = [];
  const proxy = new FlashblocksProxy({
    host: '127.0.0.1',
    port: 0,
    compression: false,
    isLeader: () => leads,
    observer,
    logger: pino({}, { write: (line: string) => log.push(JSON.parse(line) as { msg: string }) }),
    ...options,
  });
  const { port } = await proxy.start();
  cleanUps.push(() => proxy.stop(50));
  const lead = (now: boolean): void => {
    leads = now;
    proxy.leadershipChanged();
  };
  return { proxy, port, observer, log, lead };
}

/** A leader with its upstream, over which frames flow. */
async function startStream(options: Partial<FlashblocksProxyOptions> = {}) {
  const upstream = await startUpstream();
  const started = await startProxy({ upstreamUrl: upstream.url, ...options });
  const flowing = async (): Promise<void> => {
    const probe = await listen(started.port);
    await until(
      () => probe.frames.length > 0,
      () => upstream.send('probe'),
    );
    probe.stop();
    await until(() => started.observer.clients === 0);
  };
  await until(() => started.observer.connected);
  await flowing();
  return { upstream, flowing, ...started };
}

describe('forwarding', () => {
  it('passes text and binary frames on as such, unchanged and in order, to every client', async () => {
    const { upstream, port, observer } = await startStream();
    const clients = await Promise.all([listen(port), listen(port), listen(port)]);
    const before = observer.frames;
    const sent = ['{"index":0,"base":"ü"}', randomBytes(300), '', Buffer.alloc(0), randomBytes(9 * MIB)];
    for (const frame of sent) upstream.send(frame);
    await until(() => clients.every(({ frames }) => frames.length === sent.length));
    for (const { frames } of clients) {
      for (const [at, { data, binary }] of frames.entries()) {
        expect(binary).toBe(typeof sent[at] !== 'string');
        expect(data.equals(Buffer.from(sent[at] as string))).toBe(true);
      }
    }
    expect(observer.frames - before).toBe(sent.length);
    expect(observer.clients).toBe(3);
  });

  it('gives nothing to the clients of a follower, and keeps them', async () => {
    const { upstream, port, observer, lead, flowing } = await startStream();
    lead(false);
    const client = await listen(port);
    upstream.send('of a follower');
    await until(() => observer.drops.includes('not-leader'));
    client.stop();
    lead(true);
    await flowing();
    expect(client.frames).toEqual([]);
  });

  it('never forwards what was sent before the promotion, wherever it waits', async () => {
    const { upstream, port, observer, lead } = await startStream();
    lead(false);
    const client = await listen(port);
    const before = observer.drops.length;
    upstream.send('dropped as a follower');
    await until(() => observer.drops.length > before);
    const staleFrames = (): number => observer.drops.filter((reason) => reason === 'stale').length;
    const staleBefore = staleFrames();
    // These are in the kernel's buffer when the node is promoted; the pong comes behind them.
    for (let i = 0; i < 20; i++) upstream.send(`stale ${i} ${'x'.repeat(10_000)}`);
    lead(true);
    await until(() => staleFrames() === staleBefore + 20);
    await until(
      () => client.frames.length > 0,
      () => upstream.send('fresh'),
    );
    expect(new Set(client.texts)).toEqual(new Set(['fresh']));
  });

  it('waits for a pong only for a while', async () => {
    const upstream = await startUpstream(0, { autoPong: false });
    const { port, observer } = await startProxy({ upstreamUrl: upstream.url });
    const client = await listen(port);
    await until(() => observer.connected);
    await until(
      () => client.frames.length > 0,
      () => upstream.send('frame'),
    );
    expect(observer.drops).toContain('stale');
  });

  it('forwards nothing after the demotion, also of a frame that is on its way to the clients', async () => {
    let demote: (() => void) | undefined;
    let leads = true;
    const upstream = await startUpstream();
    const { port, proxy, observer } = await startProxy({
      upstreamUrl: upstream.url,
      isLeader: () => {
        // Has its turn when the first clients were served, and before the next are.
        if (demote) setImmediate(demote);
        return leads;
      },
    });
    const clients = await Promise.all(Array.from({ length: 450 }, () => listen(port)));
    let sent = 0;
    await until(
      () => clients[0]!.frames.length > 0,
      () => upstream.send(`of the leader ${++sent}`),
    );
    await until(() => observer.frames + observer.drops.length === sent);
    demote = () => {
      demote = undefined;
      leads = false;
      proxy.leadershipChanged();
      upstream.send('of the follower');
    };
    upstream.send('last of the leader');
    await until(() => observer.drops.includes('demoted') && observer.drops.includes('not-leader'));
    const count = (text: string): number => clients.filter(({ texts }) => texts.includes(text)).length;
    await until(() => count('last of the leader') === 200);
    for (const client of clients) client.socket.close();
    await until(() => clients.every(({ closed }) => closed));
    expect(count('last of the leader')).toBe(200);
    expect(count('of the follower')).toBe(0);
  });

  it('notices a leadership that nobody announced', async () => {
    const upstream = await startUpstream();
    let leads = false;
    const { port, observer } = await startProxy({ upstreamUrl: upstream.url, isLeader: () => leads });
    await until(() => observer.connected);
    const client = await listen(port);
    leads = true;
    await until(
      () => client.frames.length > 0,
      () => upstream.send('frame'),
    );
    expect(observer.drops).toContain('stale');
  });
});

describe('clients', () => {
  it('that do not read are cut off, and others miss nothing', async () => {
    const { upstream, port, observer } = await startStream({ clientLimits: { unsentBytes: MIB } });
    const [slow, quick] = await Promise.all([listen(port), listen(port)]);
    slow.socket.pause();
    const filler = 'x'.repeat(2 ** 19);
    let sent = 0;
    while (observer.cuts.length === 0) {
      upstream.send(`${sent++} ${filler}`);
      await until(() => quick.frames.length === sent);
    }
    upstream.send('after');
    await until(() => quick.frames.length === sent + 1);
    expect(observer.cuts).toEqual(['slow']);
    expect(quick.texts.slice(0, -1).map((text) => parseInt(text, 10))).toEqual([...Array(sent).keys()]);
    expect(observer.clients).toBe(1);
    slow.socket.resume();
    await until(() => slow.closed !== undefined);
  });

  it('that take nothing for a while are cut off before their queue is full', async () => {
    const { upstream, port, observer } = await startStream({ clientLimits: { writeTimeoutMs: 50 } });
    const slow = await listen(port);
    slow.socket.pause();
    await until(
      () => observer.cuts.length > 0,
      () => upstream.send('x'.repeat(MIB)),
    );
    expect(observer.cuts).toEqual(['slow']);
  });

  it('that only listen stay connected, and those that answer no pings do not', async () => {
    const { upstream, port, observer } = await startStream({
      // Long enough that a busy machine answers in time.
      clientLimits: { pingIntervalMs: 600, pongTimeoutMs: 500 },
    });
    const [idle, silent] = await Promise.all([listen(port), listen(port, { autoPong: false })]);
    await until(() => silent.closed !== undefined);
    let pings = 0;
    idle.socket.on('ping', () => pings++);
    await until(() => pings >= 2);
    upstream.send('still there');
    await until(() => idle.frames.length === 1);
    expect(observer.cuts).toEqual(['silent']);
  });

  it('get answers to their pings, and may say what they like', async () => {
    const { upstream, port } = await startStream();
    const client = await listen(port);
    client.socket.send('subscribe');
    client.socket.send(randomBytes(1000));
    client.socket.ping('hello');
    const [answer] = (await once(client.socket, 'pong')) as [Buffer];
    expect(answer.toString()).toBe('hello');
    upstream.send('frame');
    await until(() => client.frames.length === 1);
  });

  it('that send long messages or garbage are cut off alone', async () => {
    const { upstream, port, observer } = await startStream();
    const [long, garbage, good] = await Promise.all([listen(port), listen(port), listen(port)]);
    long.socket.send(Buffer.alloc(40_000));
    (garbage.socket as unknown as { _socket: net.Socket })._socket.write(Buffer.alloc(64, 0xff));
    await until(() => long.closed !== undefined && garbage.closed !== undefined);
    expect([long.closed?.code, garbage.closed?.code]).toEqual([1009, 1002]);
    upstream.send('frame');
    await until(() => good.frames.length === 1);
    expect(observer.cuts).toEqual(['error', 'error']);
  });

  it('are told when the proxy stops, and cannot hold it up', async () => {
    const { proxy, port } = await startStream();
    const [polite, deaf] = await Promise.all([listen(port), listen(port)]);
    deaf.socket.pause();
    const idle = net.connect(port, '127.0.0.1').on('error', () => undefined);
    await once(idle, 'connect');
    const idleClosed = once(idle.resume(), 'close');
    await proxy.stop(100);
    await until(() => polite.closed !== undefined);
    expect(polite.closed).toEqual({ code: 1000, reason: 'client closed' });
    await idleClosed;
    await expect(Listener.connect(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('that talk too much are not read for a while, and get their frames all the same', async () => {
    const { upstream, port, observer } = await startStream({ clientLimits: { readBytesPerSecond: 1 } });
    const [talker, good] = await Promise.all([listen(port), listen(port)]);
    const pong = (): Promise<unknown> => once(talker.socket, 'pong');
    talker.socket.send('x'.repeat(1000));
    talker.socket.ping('in the same packet');
    await pong();
    let heard = false;
    void pong().then(() => (heard = true));
    talker.socket.ping();
    upstream.send('frame');
    await until(() => good.frames.length === 1 && talker.frames.length === 1);
    for (let i = 0; i < 5; i++) {
      upstream.send('frame');
      await until(() => good.frames.length === 2 + i && talker.frames.length === 2 + i);
    }
    expect([heard, observer.cuts]).toEqual([false, []]);
  });

  it('get the very same bytes, compressed once for all that agreed on it', async () => {
    const { upstream, port } = await startStream({ compression: true });
    const clients = await Promise.all(
      [true, true, false, false].map((perMessageDeflate) => listen(port, { perMessageDeflate })),
    );
    const write = jest.spyOn(net.Socket.prototype, 'write');
    try {
      upstream.send(Buffer.alloc(5000));
      await until(() => clients.every(({ frames }) => frames.length === 1));
      const written = write.mock.calls.map(([bytes]) => bytes as unknown as Buffer);
      const plain = written.filter(({ length }) => length > 5000);
      const compressed = written.filter(({ length }) => length > 10 && length < 100);
      // The first of the large ones is the upstream's own.
      expect([new Set(plain.slice(-2)).size, new Set(compressed).size, compressed.length]).toEqual([1, 1, 2]);
    } finally {
      write.mockRestore();
    }
  });

  it.each([true, false])('get frames of every length, compressed=%s', async (perMessageDeflate) => {
    const { upstream, port } = await startStream({ compression: true });
    const client = await listen(port, { perMessageDeflate });
    expect(client.socket.extensions).toBe(perMessageDeflate ? 'permessage-deflate' : '');
    const lengths = [0, 1, 125, 126, 1023, 1024, 65_535, 65_536, 3_000_000];
    const sent = lengths.flatMap((length) => [randomBytes(length), 'é'.repeat(length / 2)]);
    for (const frame of sent) upstream.send(frame);
    await until(() => client.frames.length === sent.length);
    for (const [at, { data, binary }] of client.frames.entries()) {
      expect(binary).toBe(typeof sent[at] !== 'string');
      expect(data.equals(Buffer.from(sent[at] as string))).toBe(true);
    }
  });

  it('that want a smaller window than ours get plain frames', async () => {
    const { upstream, port } = await startStream({ compression: true });
    const client = await listen(port, { perMessageDeflate: { serverMaxWindowBits: 9 } });
    const connection = (client.socket as unknown as { _socket: net.Socket })._socket;
    const before = connection.bytesRead;
    upstream.send('x'.repeat(5000));
    await until(() => client.frames.length === 1);
    expect(client.texts).toEqual(['x'.repeat(5000)]);
    expect(connection.bytesRead - before).toBeGreaterThan(5000);
  });

  it('get compressed frames where that is enabled and they ask for it', async () => {
    const text = JSON.stringify({ transactions: Array<string>(5000).fill('0x00') });
    for (const compression of [false, true]) {
      const { upstream, port } = await startStream({ compression });
      const [plain, squeezed] = await Promise.all([
        listen(port, { perMessageDeflate: false }),
        listen(port, { perMessageDeflate: true }),
      ]);
      upstream.send(text);
      await until(() => plain.frames.length === 1 && squeezed.frames.length === 1);
      expect([plain.texts, squeezed.texts]).toEqual([[text], [text]]);
      const read = ({ socket }: Listener): number =>
        (socket as unknown as { _socket: net.Socket })._socket.bytesRead;
      expect(read(squeezed) < read(plain) / 5).toBe(compression);
    }
  });
});

describe('the upstream', () => {
  const upstreamTimes = { firstRetryMs: 5, lastRetryMs: 20, dialTimeoutMs: 100 };

  it('may be absent, come, go and come back; each change is logged once', async () => {
    const first = await startUpstream();
    const { port: upstreamPort, url } = first;
    await first.stop();
    const { port, observer, log } = await startProxy({ upstreamUrl: url, upstreamTimes });
    const client = await listen(port);
    await until(() => observer.attempts.length >= 4);
    for (let round = 0; round < 3; round++) {
      const upstream = await startUpstream(upstreamPort);
      await until(() => observer.connected);
      await until(
        () => client.texts.includes(`frame ${round}`),
        () => upstream.send(`frame ${round}`),
      );
      const attempts = observer.attempts.length;
      await upstream.stop();
      await until(() => !observer.connected && observer.attempts.length >= attempts + 2);
    }
    expect(client.closed).toBeUndefined();
    expect(observer.attempts.filter(Boolean)).toHaveLength(3);
    const [lost, connected] = ['flashblocks upstream lost; retrying', 'flashblocks upstream connected'];
    expect(log.map(({ msg }) => msg)).toEqual([lost, connected, lost, connected, lost, connected, lost]);
  });

  it('is not asked faster and faster when it closes every connection at once', async () => {
    const upstream = await startUpstream();
    const { observer } = await startProxy({
      upstreamUrl: upstream.url,
      upstreamTimes: { firstRetryMs: 1, lastRetryMs: 100_000 },
    });
    const times: number[] = [];
    while (times.length < 8) {
      const connection = await upstream.nextConnection();
      times.push(performance.now());
      connection.close();
    }
    expect(times[7]! - times[6]!).toBeGreaterThan(times[2]! - times[1]!);
    expect(observer.attempts.every(Boolean)).toBe(true);
  });

  it('has to answer in time', async () => {
    const silent = net.createServer((socket) => socket.on('error', () => undefined).resume());
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    cleanUps.push(() => void silent.close());
    const { port } = silent.address() as net.AddressInfo;
    const { observer, log } = await startProxy({ upstreamUrl: `ws://127.0.0.1:${port}`, upstreamTimes });
    await until(() => observer.attempts.length >= 3);
    expect(observer.attempts.slice(0, 3)).toEqual([false, false, false]);
    expect(log).toEqual([expect.objectContaining({ reason: 'no connection within 100 ms' })]);
  });

  it.each([
    ['answers no pings', false],
    ['answers pings', true],
  ])('that sends nothing and %s: kept=%s', async (_what, autoPong) => {
    const upstream = await startUpstream(0, { autoPong });
    const { observer } = await startProxy({
      upstreamUrl: upstream.url,
      upstreamTimes: { ...upstreamTimes, pingIntervalMs: 20, readTimeoutMs: 60 },
    });
    const connection = await upstream.nextConnection();
    if (!autoPong) return void (await once(connection, 'close'));
    let pings = 0;
    connection.on('ping', () => pings++);
    await until(() => pings > 10);
    expect(observer.attempts).toEqual([true]);
  });

  it('that sends text that is none, or more than a frame may hold, is connected anew', async () => {
    const { upstream, observer, flowing } = await startStream({ upstreamTimes });
    for (const frame of [Buffer.from([0xff, 0xfe]), Buffer.alloc(11 * MIB)]) {
      const attempts = observer.attempts.length;
      for (const connection of upstream.connections) connection.send(frame, { binary: frame.length > 2 });
      await until(() => observer.attempts.length > attempts && observer.connected);
      await flowing();
    }
  });
});

describe('the HTTP side', () => {
  const handshake = (path: string, headers: Record<string, string> = {}, method = 'GET'): string => {
    const all = {
      Host: 'flash.test:8546',
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
      ...headers,
    };
    const lines = Object.entries(all).filter(([, value]) => value !== '');
    return `${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
  };

  async function ask(port: number, request: string | Buffer): Promise<{ status: number; text: string }> {
    const socket = net.connect(port, '127.0.0.1').on('error', () => undefined);
    cleanUps.push(() => void socket.destroy());
    socket.write(request);
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    await until(() => text.includes('\r\n\r\n') || socket.destroyed);
    await nextTurn();
    return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]), text };
  }

  it.each<[string, number, string | Buffer]>([
    ['a handshake', 101, handshake('/ws')],
    ['a handshake with a query', 101, handshake('/ws?token=1')],
    ['a handshake from the same site', 101, handshake('/ws', { Origin: 'http://Flash.test:8546' })],
    ['a handshake from another site', 403, handshake('/ws', { Origin: 'http://evil.test' })],
    ['a handshake from nowhere', 403, handshake('/ws', { Origin: 'null' })],
    ['a handshake elsewhere', 404, handshake('/')],
    ['a handshake on a longer path', 404, handshake('/ws/x')],
    ['a plain request', 426, handshake('/ws', { Connection: 'close', Upgrade: '' })],
    ['a plain request elsewhere', 404, handshake('/metrics', { Connection: 'close', Upgrade: '' })],
    ['a POST', 405, handshake('/ws', { Connection: 'close', Upgrade: '', 'Content-Length': '0' }, 'POST')],
    ['a POST handshake', 405, handshake('/ws', {}, 'POST')],
    ['another protocol', 400, handshake('/ws', { Upgrade: 'h2c' })],
    ['another version', 400, handshake('/ws', { 'Sec-WebSocket-Version': '7' })],
    ['a handshake without a key', 400, handshake('/ws', { 'Sec-WebSocket-Key': '' })],
    ['a handshake with a bad key', 400, handshake('/ws', { 'Sec-WebSocket-Key': 'short' })],
    ['no HTTP', 400, Buffer.from('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', 'latin1')],
  ])('answers %s with %i', async (_what, status, request) => {
    const { port, observer } = await startProxy({ upstreamUrl: 'ws://127.0.0.1:1' });
    expect((await ask(port, request)).status).toBe(status);
    await until(() => observer.clients === (status === 101 ? 1 : 0));
    await listen(port);
  });

  it('admits only so many clients, and others when these have gone', async () => {
    const { port, observer } = await startProxy({ upstreamUrl: 'ws://127.0.0.1:1', maxClients: 2 });
    const [first] = await Promise.all([listen(port), listen(port)]);
    const refused = await ask(port, handshake('/ws'));
    expect(refused).toEqual({ status: 503, text: expect.stringContaining('too many clients') });
    first?.stop();
    await until(() => observer.clients === 1);
    await listen(port);
  });

  it('does not bind a port that is taken', async () => {
    const { port } = await startProxy({ upstreamUrl: 'ws://127.0.0.1:1' });
    await expect(startProxy({ upstreamUrl: 'ws://127.0.0.1:1', port })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
  });
});

it('counts what it does', async () => {
  const registry = new Registry();
  const upstream = await startUpstream();
  const observer = new FlashblocksMetrics(registry, upstream.url);
  const { port } = await startProxy({ upstreamUrl: upstream.url, observer });
  const [client] = await Promise.all([listen(port), listen(port)]);
  await until(
    () => Boolean(client?.frames.length),
    () => upstream.send('12345'),
  );
  const page = await registry.metrics();
  expect(page).toContain(
    `op_conductor_rollup_boost_connection_attempts_count{success="true",source="${upstream.url}"} 1\n`,
  );
  expect(page).toContain('op_conductor_websocket_clients_connected 2\n');
  expect(page).toContain('op_conductor_flashblocks_upstream_connected 1\n');
  const frames = Number(/op_conductor_flashblocks_frames_forwarded_total (\d+)/.exec(page)?.[1]);
  expect(frames).toBeGreaterThan(0);
  expect(page).toContain(`op_conductor_flashblocks_bytes_sent_total ${frames * 10}\n`);
});

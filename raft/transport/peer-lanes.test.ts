import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Member } from '../core/configuration.js';
import type { RequestMessage, ResponseMessage } from '../core/messages.js';
import { TransportError } from './errors.js';
import { bigAppend } from './testing/arbitrary-frames.js';
import { eventually } from '../testing/eventually.js';
import { agree, heartbeat, TransportNode, type TransportNodeOptions } from './testing/transport-node.js';

const closers: (() => unknown)[] = [];

async function start(id: string, options?: TransportNodeOptions): Promise<TransportNode> {
  const node = await new TransportNode(id, options).start();
  closers.push(() => node.transport.stop());
  return node;
}

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const incarnation = 'e0'.repeat(16);
const memberAt = (port: number): Member => ({
  id: 'b',
  address: `127.0.0.1:${port}`,
  incarnation,
  voter: true,
});

/** A server of bare sockets, each handled by `onSocket`. */
async function serve(onSocket: (socket: net.Socket) => void): Promise<number> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    onSocket(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as net.AddressInfo).port;
}

interface Outcome {
  tookMs: number;
  result: ResponseMessage | TransportError;
}

/** How a request ended, and after how long. */
async function outcomeOf(from: TransportNode, message: RequestMessage): Promise<Outcome> {
  const begun = performance.now();
  const result = await from.transport.send('b', message).catch((error: TransportError) => error);
  return { tookMs: performance.now() - begun, result };
}

const codeOf = ({ result }: Outcome): string => (result instanceof TransportError ? result.code : 'answered');

/** Deadline of every lane in these tests, and the extra time for a busy machine. */
const DEADLINE_MS = 300;
const LATE_MS = 2000;
const timeouts = { controlMs: DEADLINE_MS, bulkMs: DEADLINE_MS, snapshotMs: DEADLINE_MS };

it('votes and appends find connections that are open already', async () => {
  let connections = 0;
  const port = await serve((socket) => {
    connections += 1;
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}'));
  });
  const a = await start('a', { timeouts });
  a.transport.setPeers([memberAt(port)]);
  // Nothing was sent: two for heartbeats and votes, one each for appends and snapshots.
  await eventually(() => connections === 4, 'all connections are open');
  await a.transport.send('b', heartbeat()).catch(() => undefined);
  await a.transport.send('b', bigAppend(10)).catch(() => undefined);
  expect(connections).toBe(4);
});

describe('a deadline', () => {
  it('ends a request to a server that accepts and never answers', async () => {
    const port = await serve((socket) => socket.resume());
    const a = await start('a', { timeouts });
    a.transport.setPeers([memberAt(port)]);
    for (const message of [heartbeat(), bigAppend(2_000_000)]) {
      const outcome = await outcomeOf(a, message);
      expect(codeOf(outcome)).toBe('timeout');
      expect(outcome.tookMs).toBeGreaterThanOrEqual(DEADLINE_MS - 5);
      expect(outcome.tookMs).toBeLessThan(DEADLINE_MS + LATE_MS);
    }
  });

  it('also ends requests that wait behind those', async () => {
    const port = await serve((socket) => socket.resume());
    const a = await start('a', { timeouts });
    a.transport.setPeers([memberAt(port)]);
    const outcomes = await Promise.all(Array.from({ length: 30 }, () => outcomeOf(a, heartbeat())));
    for (const outcome of outcomes) {
      expect(['timeout', 'unreachable']).toContain(codeOf(outcome));
      expect(outcome.tookMs).toBeLessThan(DEADLINE_MS + LATE_MS);
    }
  });

  it('ends a request whose body the peer does not read', async () => {
    const port = await serve((socket) => socket.pause());
    const a = await start('a', { timeouts: { ...timeouts, bulkMs: 100 } });
    a.transport.setPeers([memberAt(port)]);
    // More than the buffers of both kernels hold; the deadline grows with the size.
    expect(codeOf(await outcomeOf(a, bigAppend(8_000_000)))).toBe('timeout');
  });

  it('leaves one connection per line, and none when the node stops', async () => {
    let open = 0;
    const port = await serve((socket) => {
      open += 1;
      socket.resume().once('close', () => (open -= 1));
    });
    const a = await start('a', { timeouts });
    a.transport.setPeers([memberAt(port)]);
    // Long enough for silent connections to be replaced.
    for (let round = 0; round < 6; round++) {
      await Promise.all(Array.from({ length: 4 }, () => outcomeOf(a, heartbeat())));
    }
    await eventually(() => open <= 4, 'the end of those that were replaced');
    await a.transport.stop();
    await eventually(() => open === 0, 'the end of all connections');
  });
});

describe('a peer whose answer is not HTTP', () => {
  it.each([
    ['noise', 'what?\r\n\r\n'],
    ['an answer without end', `HTTP/1.1 200 OK\r\ncontent-length: 900000\r\n\r\n${'x'.repeat(100_000)}`],
  ])('%s does no harm', async (_name, answer) => {
    const port = await serve((socket) => socket.resume().write(answer));
    const a = await start('a', { timeouts });
    a.transport.setPeers([memberAt(port)]);
    expect(codeOf(await outcomeOf(a, heartbeat()))).toBe('unreachable');
  });
});

describe('lanes', () => {
  it('let heartbeats pass appends that wait for their answers', async () => {
    const b = await start('b', {
      onRequest: ({ message, respond }) => message.type === 'heartbeat' && respond(agree(message)),
    });
    const a = await start('a');
    a.transport.setPeers([b.member]);
    const appends = [1, 2, 3].map((requestId) => outcomeOf(a, bigAppend(2_000_000, requestId)));
    for (let beat = 0; beat < 20; beat++) expect(codeOf(await outcomeOf(a, heartbeat()))).toBe('answered');
    await eventually(() => b.received.some(({ message }) => message.type === 'append'), 'an append');
    for (const { message, respond } of b.received) if (message.type === 'append') respond(agree(message));
    expect(codeOf(await Promise.race(appends))).toBe('answered');
    await a.transport.stop();
    await Promise.all(appends);
  });

  it.each<[string, number, (requestId: number) => RequestMessage]>([
    ['heartbeats', 10, heartbeat],
    ['appends', 2, (requestId) => bigAppend(100_000, requestId)],
  ])('let %s go out although those before are not answered yet', async (_name, count, create) => {
    const b = await start('b', { onRequest: () => undefined });
    const a = await start('a');
    a.transport.setPeers([b.member]);
    const outcomes = Array.from({ length: count }, (_, at) => outcomeOf(a, create(at)));
    await eventually(() => b.received.length === count, 'all of them');
    for (const { message, respond } of b.received) respond(agree(message));
    expect((await Promise.all(outcomes)).map(codeOf)).toEqual(outcomes.map(() => 'answered'));
  });

  it('let heartbeats pass an append that is stuck on the line', async () => {
    const b = await start('b');
    // A line that takes no more than the first bytes of a large body.
    const port = await serve((client) => {
      const server = net.connect(b.port, '127.0.0.1');
      server.on('error', () => undefined);
      server.pipe(client);
      client.once('close', () => server.destroy());
      client.on('data', (chunk) => (chunk.length < 10_000 ? server.write(chunk) : client.pause()));
    });
    const a = await start('a');
    a.transport.setPeers([{ ...b.member, address: `127.0.0.1:${port}` }]);
    const append = outcomeOf(a, bigAppend(4_000_000));
    for (let beat = 0; beat < 20; beat++) expect(codeOf(await outcomeOf(a, heartbeat()))).toBe('answered');
    await a.transport.stop();
    expect(codeOf(await append)).toBe('unreachable');
  });
});

describe('a peer that is frozen', () => {
  const script = path.join(path.dirname(fileURLToPath(import.meta.url)), 'testing', 'peer-process.ts');

  async function startProcess(): Promise<{ process: ChildProcess; member: Member }> {
    const child = fork(script, ['b'], { execArgv: ['--import', 'tsx'] });
    closers.push(async () => {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    });
    const [member] = (await once(child, 'message')) as [Member];
    return { process: child, member };
  }

  it('fails every request by its deadline, and gets requests again once it runs', async () => {
    const { process: peer, member } = await startProcess();
    const a = await start('a', { timeouts });
    a.transport.setPeers([member]);
    const both = (): RequestMessage[] => [heartbeat(), bigAppend(500_000)];
    for (const message of both()) expect(codeOf(await outcomeOf(a, message))).toBe('answered');

    peer.kill('SIGSTOP');
    const outcomes: Promise<Outcome>[] = [];
    // As a leader does: heartbeats go on, even if earlier ones failed.
    for (let beat = 0; beat < 20; beat++) {
      outcomes.push(...both().map((message) => outcomeOf(a, message)));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    for (const outcome of await Promise.all(outcomes)) {
      expect(['timeout', 'unreachable']).toContain(codeOf(outcome));
      expect(outcome.tookMs).toBeLessThan(DEADLINE_MS + LATE_MS);
    }
    expect(await a.transport.probe('b')).toBe('unknown');

    peer.kill('SIGCONT');
    // It answers the requests that waited, and then there is room for more.
    for (const message of both()) {
      while (codeOf(await outcomeOf(a, message)) !== 'answered') await new Promise(setImmediate);
    }
    expect(await a.transport.probe('b')).toBe('alive');
  });

  it('fails requests by their deadline when its kernel takes no more connections', async () => {
    const { process: peer, member } = await startProcess();
    peer.kill('SIGSTOP');
    await fillBacklog(Number(member.address.split(':').at(-1)));
    const a = await start('a', { timeouts });
    a.transport.setPeers([member]);
    const outcome = await outcomeOf(a, heartbeat());
    expect(codeOf(outcome)).toBe('timeout');
    expect(outcome.tookMs).toBeLessThan(DEADLINE_MS + LATE_MS);
    expect(await a.transport.probe('b')).toBe('unknown');
    const asked = a.transport.hello(member.address, AbortSignal.timeout(DEADLINE_MS));
    await expect(asked).rejects.toMatchObject({ code: 'timeout' });
    const begun = performance.now();
    await a.transport.stop();
    expect(performance.now() - begun).toBeLessThan(LATE_MS);
  });

  /** Connects until the kernel leaves an attempt unanswered. */
  async function fillBacklog(port: number): Promise<void> {
    for (;;) {
      const socket = net.connect(port, '127.0.0.1').on('error', () => undefined);
      closers.push(() => socket.destroy());
      const connected = await Promise.race([
        once(socket, 'connect').then(() => true),
        new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 500)),
      ]);
      if (!connected) return;
    }
  }
});

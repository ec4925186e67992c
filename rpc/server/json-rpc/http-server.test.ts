import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { AccessControl } from '../access/access-control.js';
import { OPEN_ACCESS } from '../testing/open-access.js';
import { sendHttp, sendRpc } from '../testing/send-http.js';
import { Dispatcher } from './dispatcher.js';
import type { HttpServer, HttpServerOptions } from './http-server.js';
import { createHttpServer } from './http-server.js';
import type { Method } from './method-table.js';
import { method } from './method-table.js';

const JSON_TYPE = { 'content-type': 'application/json' };
const PING = '{"jsonrpc":"2.0","id":1,"method":"test_ping"}';
const HANG = '{"jsonrpc":"2.0","id":2,"method":"test_hang"}';
const started: HttpServer[] = [];

afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.stop(0)));
});

/** Starts a server with `test_ping`, and `test_hang`, which is held until `release`. */
async function start(options: Partial<HttpServerOptions> = {}): Promise<{
  server: HttpServer;
  port: number;
  /** Resolves when `test_hang` is under way. */
  hanging: Promise<void>;
  release: () => void;
  pings: () => number;
}> {
  let reached!: () => void;
  let release!: () => void;
  let pings = 0;
  const hanging = new Promise<void>((resolve) => (reached = resolve));
  const released = new Promise<void>((resolve) => (release = resolve));
  const methods = new Map<string, Method>([
    ['test_ping', method([], () => ++pings)],
    [
      'test_hang',
      method([], async () => {
        reached();
        await released;
      }),
    ],
  ]);
  const logger = pino({ level: 'silent' });
  const server = createHttpServer({
    dispatcher: new Dispatcher({ methods, logger }),
    largeBodies: { read: () => Promise.reject(new Error('no body here is large')) },
    version: 'v1',
    logger,
    host: '127.0.0.1',
    port: 0,
    bodyLimitBytes: 100_000,
    connectionsMax: 4096,
    readTimeoutMs: 30_000,
    idleTimeoutMs: 120_000,
    access: new AccessControl(OPEN_ACCESS),
    ...options,
  });
  started.push(server);
  const { port } = await server.start();
  return { server, port, hanging, release, pings: () => pings };
}

describe('HTTP server', () => {
  it('allows every origin', async () => {
    const { port } = await start();
    const origin = 'http://example.org';
    const call = { method: 'POST', path: '/', headers: { ...JSON_TYPE, origin }, body: PING };
    expect((await sendHttp(port, call)).headers).toMatchObject({
      'access-control-allow-origin': '*',
      vary: 'Origin',
    });
    const preflight = await sendHttp(port, {
      method: 'OPTIONS',
      path: '/',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type',
      },
      body: null,
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'POST, GET',
      'access-control-allow-headers': 'content-type',
    });
  });

  it('redirects from a doubled slash', async () => {
    const { port } = await start();
    const call = { method: 'POST', path: '///?a=1', headers: JSON_TYPE, body: PING };
    expect((await sendHttp(port, call)).headers.location).toBe('/?a=1');
  });

  it('refuses a body over the limit by its announced length, and the connection stays usable', async () => {
    const { port } = await start();
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const post = async (body: string): Promise<[number | undefined, string]> => {
      const sent = http.request({ port, method: 'POST', agent, headers: JSON_TYPE });
      sent.end(body);
      const [response] = (await once(sent, 'response')) as [http.IncomingMessage];
      return [response.statusCode, (await response.setEncoding('utf8').toArray()).join('')];
    };
    expect(await post('x'.repeat(150_000))).toEqual([413, 'content length too large (150000>100000)\n']);
    expect(await post(PING)).toEqual([200, '{"jsonrpc":"2.0","id":1,"result":1}\n']);
    expect(await post(' '.repeat(100_000 - PING.length) + PING)).toEqual([
      200,
      '{"jsonrpc":"2.0","id":1,"result":2}\n',
    ]);
    agent.destroy();
  });

  it('refuses a body over the limit that does not announce its length', async () => {
    const { port } = await start();
    const sent = http.request({ port, method: 'POST', headers: JSON_TYPE });
    sent.on('error', () => undefined);
    sent.write('x'.repeat(60_000));
    sent.write('x'.repeat(60_000));
    const [response] = (await once(sent, 'response')) as [http.IncomingMessage];
    expect(response.statusCode).toBe(413);
    expect((await response.setEncoding('utf8').toArray()).join('')).toBe(
      'content length too large (>100000)\n',
    );
    sent.destroy();
  });

  it('reads a chunked body in pieces', async () => {
    const { port } = await start();
    const sent = http.request({ port, method: 'POST', headers: JSON_TYPE });
    for (const character of PING) sent.write(character);
    sent.end();
    const [response] = (await once(sent, 'response')) as [http.IncomingMessage];
    expect((await response.setEncoding('utf8').toArray()).join('')).toBe(
      '{"jsonrpc":"2.0","id":1,"result":1}\n',
    );
  });

  it.each([
    ['headers', 'POST / HTTP/1.1\r\nHost: x\r\n'],
    ['a body', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{'],
    ['nothing at all', ''],
  ])('cuts off a client that never finishes sending %s', async (_what, start_) => {
    const { port, pings } = await start({ readTimeoutMs: 200 });
    const socket = net.connect(port, '127.0.0.1', () => socket.write(start_));
    socket.on('error', () => undefined);
    socket.resume();
    await once(socket, 'close');
    expect(pings()).toBe(0);
    expect((await sendRpc(port, PING)).status).toBe(200);
  });

  it('keeps an idle connection for longer than a request may take to arrive', async () => {
    const { port } = await start({ readTimeoutMs: 100, idleTimeoutMs: 60_000 });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const sockets = new Set<unknown>();
    for (const pauseMs of [0, 400]) {
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      const sent = http.request({ port, method: 'POST', agent, headers: JSON_TYPE });
      sent.on('socket', (socket) => sockets.add(socket));
      sent.end(PING);
      const [response] = (await once(sent, 'response')) as [http.IncomingMessage];
      await response.toArray();
    }
    agent.destroy();
    expect(sockets.size).toBe(1);
  });

  it('does not bind a port that is taken', async () => {
    const { port } = await start();
    await expect(start({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('serves others while it works through a large batch', async () => {
    const { port, pings } = await start({ bodyLimitBytes: 10_000_000 });
    const finished: string[] = [];
    const batch = sendRpc(port, `[${Array.from({ length: 10_000 }, () => PING).join(',')}]`).then(
      (answer) => {
        finished.push('batch');
        return answer;
      },
    );
    while (pings() === 0) await new Promise((resolve) => setImmediate(resolve));
    await sendRpc(port, PING);
    finished.push('single');
    expect((JSON.parse((await batch).body) as unknown[]).length).toBe(10_000);
    expect(finished).toEqual(['single', 'batch']);
  });

  it.each([
    ['a wrong type', 'POST / HTTP/1.1\r\nContent-Type: text/plain', 415],
    ['a wrong method', 'PUT / HTTP/1.1\r\nContent-Type: application/json', 405],
    ['pieces of a byte', 'POST / HTTP/1.1\r\nContent-Type: application/json', 400],
  ])(
    'reads no further when it has answered before the end of a chunked body: %s',
    async (_what, head, status) => {
      const { port } = await start({ bodyLimitBytes: 10_000_000 });
      const socket = net.connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      let answer = '';
      socket.setEncoding('latin1').on('data', (text: string) => (answer += text));
      const closed = once(socket, 'close');
      socket.write(`${head}\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${'1\r\na\r\n'.repeat(6000)}`);
      await closed;
      expect(answer).toContain(`HTTP/1.1 ${status} `);
    },
  );

  it('forgets pipelined calls when their connection breaks', async () => {
    const { server, port, hanging, release } = await start();
    const socket = net.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    const call = (body: string): string =>
      `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    socket.write(call(HANG) + call(PING).repeat(5));
    await hanging;
    socket.resetAndDestroy();
    const idle = net.connect(port, '127.0.0.1');
    await once(idle, 'connect');
    // An idle connection is closed once nothing is under way, long before the grace period ends.
    const idleClosed = once(idle.resume(), 'close');
    await server.stop(60_000);
    await idleClosed;
    release();
  });

  it('lets a call under way finish when it stops, and closes idle connections', async () => {
    const { server, port, hanging, release } = await start();
    const idle = net.connect(port, '127.0.0.1');
    await once(idle, 'connect');
    const idleClosed = once(idle.resume(), 'close');
    const answer = sendHttp(port, { method: 'POST', path: '/', headers: JSON_TYPE, body: HANG });
    await hanging;
    const stopped = server.stop(60_000);
    await expect(sendRpc(port, PING)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    release();
    expect((await answer).body).toBe('{"jsonrpc":"2.0","id":2,"result":null}\n');
    await stopped;
    await idleClosed;
  });

  it('cuts off open requests when the grace period ends', async () => {
    const { server, port, hanging, release } = await start();
    const answer = sendRpc(port, HANG).catch((error: unknown) => error);
    await hanging;
    await server.stop(50);
    expect(await answer).toMatchObject({ code: 'ECONNRESET' });
    release();
  });
});

import { once } from 'node:events';
import net from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { fastify, type FastifyInstance } from 'fastify';
import { request } from 'undici';
import { listen } from './listen.js';

/** Two addresses of this machine, like those of `localhost` with IPv6. */
const TWO = ['127.0.0.1', '127.0.0.2'];
const resolve = (addresses: string[]) => async (): Promise<string[]> => addresses;

const apps: FastifyInstance[] = [];
const sockets: net.Socket[] = [];
afterEach(async () => {
  sockets.splice(0).forEach((socket) => socket.destroy());
  await Promise.all(apps.splice(0).map((app) => app.close()));
});

function server(): FastifyInstance {
  const app = fastify({
    requestTimeout: 300,
    http: { headersTimeout: 200, connectionsCheckingInterval: 50 },
  });
  app.get('/', async ({ socket }) => socket.localAddress);
  apps.push(app);
  return app;
}

async function connect(host: string, port: number): Promise<net.Socket> {
  const socket = net.connect(port, host);
  sockets.push(socket.on('error', () => undefined));
  await once(socket, 'connect');
  return socket;
}

const get = async (host: string, port: number): Promise<string> =>
  (await request(`http://${host}:${port}/`, { reset: true })).body.text();

describe('listening on a name', () => {
  it('answers on every address of the name', async () => {
    const options = { host: 'localhost', port: 0, connectionsMax: 9, resolve: resolve(TWO) };
    const { port } = await listen(server(), options);
    for (const host of TWO) expect(await get(host, port)).toBe(host);
    await expect(get('127.0.0.3', port)).rejects.toThrow('ECONNREFUSED');
  });

  it('leaves out addresses that this machine does not have', async () => {
    const options = { host: 'h', port: 0, connectionsMax: 9, resolve: resolve(['192.0.2.1', ...TWO]) };
    const { port } = await listen(server(), options);
    for (const host of TWO) expect(await get(host, port)).toBe(host);
  });

  it('fails when it has none of them, or when the port is taken on one', async () => {
    const elsewhere = { host: '192.0.2.1', port: 0, connectionsMax: 9 };
    await expect(listen(server(), elsewhere)).rejects.toThrow('EADDRNOTAVAIL');
    const taken = net.createServer().listen({ host: TWO[1]!, port: 0 });
    await once(taken, 'listening');
    const { port } = taken.address() as net.AddressInfo;
    const options = { host: 'localhost', port, connectionsMax: 9, resolve: resolve(TWO) };
    await expect(listen(server(), options)).rejects.toThrow('EADDRINUSE');
    taken.close();
    await once(taken, 'close');
    expect(await listen(server(), options)).toMatchObject({ port });
  });

  it('takes connections up to the limit on all of them together', async () => {
    const options = { host: 'localhost', port: 0, connectionsMax: 3, resolve: resolve(TWO) };
    const { port } = await listen(server(), options);
    const [first] = [
      await connect(TWO[0]!, port),
      await connect(TWO[1]!, port),
      await connect(TWO[1]!, port),
    ];
    for (const host of TWO) {
      const refused = await connect(host, port);
      let heard = 0;
      refused.on('data', ({ length }: Buffer) => (heard += length));
      await once(refused, 'close');
      // An accepted connection is told that it was too slow.
      expect(heard).toBe(0);
    }
    first.destroy();
    // The server notices with its next check.
    let answer: string | undefined;
    while (answer === undefined) answer = await get(TWO[1]!, port).catch(() => undefined);
    expect(answer).toBe(TWO[1]);
  });

  it('holds slow requests to the same deadlines on all of them', async () => {
    const options = { host: 'localhost', port: 0, connectionsMax: 9, resolve: resolve(TWO) };
    const { port } = await listen(server(), options);
    for (const host of TWO) {
      const slow = await connect(host, port);
      slow.write('GET / HTTP/1.1\r\n');
      const [answer] = (await once(slow, 'data')) as [Buffer];
      expect(answer.toString()).toContain('408');
    }
  });

  it('closes all of them, after the requests in progress', async () => {
    const app = server();
    let reached!: () => void;
    let release!: () => void;
    const hanging = new Promise<void>((done) => (reached = done));
    const released = new Promise<void>((done) => (release = done));
    app.get('/hang', async () => {
      reached();
      await released;
      return 'done';
    });
    const options = { host: 'localhost', port: 0, connectionsMax: 9, resolve: resolve(TWO) };
    const listening = await listen(app, options);
    const { port } = listening;
    const answer = request(`http://${TWO[1]}:${port}/hang`, { reset: true });
    await hanging;
    const closed = app.close();
    while (await get(TWO[1]!, port).catch(() => undefined));
    let isDrained = false;
    const all = listening.drained().then(() => (isDrained = true));
    expect(isDrained).toBe(false);
    release();
    expect(await (await answer).body.text()).toBe('done');
    await Promise.all([closed, all]);
    for (const host of TWO) await expect(get(host, port)).rejects.toThrow('ECONNREFUSED');
  });
});

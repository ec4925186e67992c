import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { nextTurn, shareTurns } from './event-loop-turns.js';

const REQUEST = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
const WORK_MS = 4;
/** Pieces of work of 4 ms each in the 10 ms of a turn: one may begin just before the end. */
const IN_ONE_TURN = 4;

/** Keeps the event loop busy, as an expensive request does. */
function work(): void {
  const end = performance.now() + WORK_MS;
  while (performance.now() < end);
}

/** Counts turns of the event loop, by its timers, until `stop` is called. */
function countTurns(): { readonly count: number; stop: () => void } {
  let count = 0;
  const timer = setInterval(() => count++, 1);
  return {
    get count() {
      return count;
    },
    stop: () => clearInterval(timer),
  };
}

describe('shareTurns', () => {
  const servers: http.Server[] = [];
  const sockets: net.Socket[] = [];
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const server of servers.splice(0)) server.close();
  });

  /** A server that works for every request; `most` is the most that it has answered in one turn. */
  async function start(): Promise<{ port: number; most: () => number; answered: () => number }> {
    const turns = countTurns();
    const inTurn = new Map<number, number>();
    let answered = 0;
    const routing: http.RequestListener = (_request, response) => {
      work();
      answered++;
      inTurn.set(turns.count, (inTurn.get(turns.count) ?? 0) + 1);
      response.end('ok');
    };
    const server = http.createServer(routing);
    shareTurns({ server, routing });
    server.once('close', turns.stop);
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return { port, most: () => Math.max(...inTurn.values()), answered: () => answered };
  }

  /** Sends requests on connections, all at once, and waits for the answers. */
  async function flood(port: number, connections: number, requests: number): Promise<string[]> {
    const opened = await Promise.all(
      Array.from({ length: connections }, async () => {
        const socket = net.connect(port, '127.0.0.1').setEncoding('latin1');
        sockets.push(socket);
        await once(socket, 'connect');
        return socket;
      }),
    );
    for (const socket of opened) socket.write(REQUEST.repeat(requests));
    return Promise.all(
      opened.map(async (socket) => {
        let text = '';
        for await (const piece of socket) {
          text += piece as string;
          if (text.split('HTTP/1.1 200 OK').length - 1 === requests) break;
        }
        return text;
      }),
    );
  }

  it.each([
    ['one connection with many requests', 1, 40],
    ['many connections with a request each', 40, 1],
    ['some with some', 6, 6],
  ])('lets timers go in between: %s', async (_what, connections, requests) => {
    const { port, most, answered } = await start();
    const answers = await flood(port, connections, requests);
    expect(answers).toHaveLength(connections);
    expect(answered()).toBe(connections * requests);
    expect(most()).toBeLessThanOrEqual(2 * IN_ONE_TURN);
  });

  it('does not answer clients that have gone meanwhile', async () => {
    const { port, answered } = await start();
    const socket = net.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(REQUEST.repeat(200));
    while (answered() === 0) await new Promise((resolve) => setImmediate(resolve));
    socket.resetAndDestroy();
    const [answer] = await flood(port, 1, 1);
    expect(answer).toContain('200 OK');
    expect(answered()).toBeLessThan(200);
  });

  it.each(['before', 'after'])(
    'lets other listeners, added %s, hear of requests when they come',
    async (when) => {
      const heard: unknown[] = [];
      const listen = (): void => void server.on('request', (request) => heard.push(request));
      const routing: http.RequestListener = () => work();
      const server = http.createServer(routing);
      if (when === 'before') listen();
      shareTurns({ server, routing });
      if (when === 'after') listen();
      const request = { socket: {} };
      for (let count = 0; count < 10; count++) server.emit('request', request, {});
      expect(heard).toHaveLength(10);
      await nextTurn();
    },
  );

  it('refuses a listener that the server does not have', () => {
    const routing = (): void => undefined;
    expect(() => shareTurns({ server: http.createServer(), routing })).toThrow('not answered by routing');
  });
});

describe('nextTurn', () => {
  it('lets some of many continue in one turn, all in order', async () => {
    const turns = countTurns();
    const done: number[] = [];
    const inTurn = new Map<number, number>();
    await Promise.all(
      Array.from({ length: 30 }, async (_, at) => {
        await nextTurn();
        work();
        done.push(at);
        inTurn.set(turns.count, (inTurn.get(turns.count) ?? 0) + 1);
      }),
    );
    turns.stop();
    expect(done).toEqual(Array.from({ length: 30 }, (_, at) => at));
    expect(Math.max(...inTurn.values())).toBeLessThanOrEqual(IN_ONE_TURN);
  });

  it('is never forgotten', async () => {
    for (let round = 0; round < 100; round++) {
      await nextTurn();
      await Promise.all([nextTurn(), nextTurn().then(nextTurn)]);
    }
  });
});

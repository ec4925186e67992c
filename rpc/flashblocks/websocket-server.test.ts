import net from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { cleanUps, listen, startProxy, until } from './testing/start-proxy.js';

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

  it('admits only a limited number of clients, and others when these have gone', async () => {
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

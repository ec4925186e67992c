import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from '@jest/globals';
import { WebSocket, WebSocketServer } from 'ws';
import { throttleReads } from './throttle-reads.js';

let server: WebSocketServer;
let client: WebSocket;
afterEach(() => {
  client.terminate();
  server.close();
});

it('eventually reads everything, but not faster than allowed', async () => {
  const [bytesPerSecond, messageBytes, messages] = [300_000, 1000, 500];
  server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const [socket, { socket: connection }] = (await once(server, 'connection')) as [WebSocket, IncomingMessage];
  throttleReads(socket, connection, bytesPerSecond);
  await once(client, 'open');
  const startedAtMs = performance.now();
  let largestRead = 0;
  connection.on('data', ({ length }: Buffer) => (largestRead = Math.max(largestRead, length)));
  const read = new Promise<void>((resolve) => {
    let count = 0;
    socket.on('message', () => ++count === messages && resolve());
  });
  for (let i = 0; i < messages; i++) client.send(Buffer.alloc(messageBytes));
  await read;
  // The initial allowance, plus the size of the last read.
  const waitedFor = messages * messageBytes - bytesPerSecond - largestRead;
  expect(waitedFor).toBeGreaterThan(0);
  expect(performance.now() - startedAtMs).toBeGreaterThan((0.95 * 1000 * waitedFor) / bytesPerSecond);
});

import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { eventually } from '../../testing/eventually.js';
import { securedBy, TestAuthority } from '../testing/certificates.js';
import { nodesOfEachTest } from '../testing/nodes-of-each-test.js';
import { heartbeat, type TransportNode } from '../testing/transport-node.js';
import { readSecrets } from './read-secrets.js';
import type { Credentials } from './security.js';

const { start } = nodesOfEachTest();
const SECRET = '5'.repeat(64);
const AT_ONCE = 32;
const CONNECTIONS = 1500;

const credentials: [string, (id: string) => Promise<Credentials>][] = [
  [
    'certificates',
    (() => {
      const authority = TestAuthority.make();
      return async (id) => (await authority).member(id);
    })(),
  ],
  ['a secret', async () => readSecrets(SECRET)],
];

/** Two members that talk, and the bytes with which one of them begins a handshake. */
async function membersWith(
  of: (id: string) => Promise<Credentials>,
): Promise<[TransportNode, TransportNode, Buffer]> {
  const a = await start('a', { security: securedBy(await of('a')) });
  const b = await start('b', { security: securedBy(await of('b')) });
  a.transport.setPeers([b.member]);
  await a.transport.send('b', heartbeat());
  return [a, b, await firstBytes()];
}

/** The first message of a TLS 1.3 client. */
async function firstBytes(): Promise<Buffer> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const taken = once(server, 'connection');
  const client = tls.connect({ port, host: '127.0.0.1', minVersion: 'TLSv1.3' });
  client.on('error', () => undefined);
  const [socket] = (await taken) as [net.Socket];
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  client.destroy();
  server.close();
  return bytes;
}

const held: net.Socket[] = [];
afterEach(() => {
  for (const socket of held.splice(0)) socket.destroy();
});

/** Sends this on its own connection, and hangs up at once or never. */
async function say(port: number, bytes: Uint8Array, hangsUp: boolean): Promise<net.Socket> {
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  held.push(socket);
  await once(socket, 'connect');
  socket.resume().write(bytes);
  if (hangsUp) socket.destroySoon();
  return socket;
}

interface Spoilt {
  at: number;
  bytes: Uint8Array;
  length: number;
  hangsUp: boolean;
}

const spoilt = fc.record<Spoilt>({
  at: fc.nat({ max: 600 }),
  bytes: fc.uint8Array({ maxLength: 24 }),
  length: fc.nat({ max: 700 }),
  hangsUp: fc.boolean(),
});

/** A valid beginning, cut off somewhere and with other bytes in it. */
function spoil(good: Buffer, { at, bytes, length }: Spoilt): Buffer {
  const bad = Buffer.from(good.subarray(0, Math.max(1, length)));
  bad.set(bytes.subarray(0, Math.max(0, bad.length - at)), Math.min(at, bad.length));
  return bad;
}

describe.each(credentials)('strangers at members with %s', (_, of) => {
  it('reach nobody with handshakes that go wrong, and members go on talking meanwhile', async () => {
    const [a, b, good] = await membersWith(of);
    const before = b.received.length;
    let spoken = 0;
    const cases = fc.sample(spoilt, CONNECTIONS);
    while (cases.length > 0) {
      const some = cases.splice(0, AT_ONCE).map((each) => say(b.port, spoil(good, each), each.hangsUp));
      await a.transport.send('b', heartbeat());
      spoken += 1;
      await Promise.all(some);
    }
    expect(b.received).toHaveLength(before + spoken);
    expect(b.disconnected).toEqual([]);
  });

  it('do not keep a member from connecting, even when many of them hold a connection', async () => {
    const [, b, good] = await membersWith(of);
    let refused = 0;
    for (let count = 0; count < 600; count++) {
      // A beginning that never continues.
      const socket = await say(b.port, good.subarray(0, 100), false);
      socket.once('close', () => (refused += 1));
    }
    await eventually(() => refused >= 300, 'the oldest to be closed');
    const c = await start('c', { security: securedBy(await of('c')) });
    c.transport.setPeers([b.member]);
    await eventually(
      () =>
        c.transport.send('b', heartbeat()).then(
          () => true,
          () => false,
        ),
      'an answer',
    );
  });
});

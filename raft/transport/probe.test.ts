import { once } from 'node:events';
import net from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { nodesOfEachTest } from './testing/nodes-of-each-test.js';
import { heartbeat } from './testing/transport-node.js';

const { pair } = nodesOfEachTest();

describe('a probe', () => {
  const sockets = new Set<net.Socket>();
  const silent = net.createServer((socket) => void sockets.add(socket));

  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    silent.close();
    await once(silent, 'close');
  });

  it('proves nothing when a host takes the connection and does not answer', async () => {
    const [a, b] = await pair();
    await a.transport.send('b', heartbeat());
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as net.AddressInfo;
    a.transport.setPeers([{ ...b.member, address: `127.0.0.1:${port}` }]);
    expect(await a.transport.probe('b')).toBe('unknown');
  });
});

import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { configOf } from '../../../config/testing/command-line.js';
import { gatherPorts } from './gather-ports.js';

const ports = (...flags: string[]) => gatherPorts(configOf(flags));

describe('the ports', () => {
  it('are those that the process would listen on, free or taken, and stay free', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    try {
      const flags = [
        ...['--consensus.port', '0', '--rpc.addr', 'localhost', '--rpc.port', String(port)],
        ...['--metrics.enabled', '--metrics.addr', '192.0.2.1', '--metrics.port', '7300'],
      ];
      for (let time = 0; time < 2; time++) {
        expect(await ports(...flags)).toEqual([
          { name: 'consensus', host: '127.0.0.1', port: 0, problem: null },
          expect.objectContaining({
            ...{ name: 'RPC', host: 'localhost', port },
            problem: {
              code: 'port-in-use',
              message: expect.stringContaining('cannot listen on the RPC port'),
              remedy: expect.stringContaining('(--rpc.addr, --rpc.port)'),
            },
          }),
          expect.objectContaining({ problem: expect.objectContaining({ code: 'address-not-here' }) }),
        ]);
      }
    } finally {
      taken.close();
    }
  });

  it('of flashblocks is checked if there is an upstream', async () => {
    const found = await ports(
      ...['--consensus.port', '0', '--rpc.port', '0', '--rpc.addr', 'nowhere.invalid'],
      ...['--rollupboost.ws-url', 'ws://builder:1', '--websocket.server-port', '0'],
    );
    expect(found.map(({ name, problem }) => [name, problem?.code])).toEqual([
      ['consensus', undefined],
      ['RPC', 'name-unknown'],
      ['flashblocks', undefined],
    ]);
  });
});

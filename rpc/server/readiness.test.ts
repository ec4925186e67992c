import { afterEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { MIB } from '../../common/bytes.js';
import type { HttpServer } from './json-rpc/http-server.js';
import { createRpcServer } from './rpc-server.js';
import { FakeConductor } from './testing/fake-conductor.js';
import { sendHttp } from './testing/send-http.js';

describe('GET /readyz', () => {
  const servers: HttpServer[] = [];
  afterEach(() => Promise.all(servers.splice(0).map((server) => server.stop(100))));

  it('says whether the conductor runs and knows a leader, and why not', async () => {
    const api = new FakeConductor(false);
    const logger = pino({ level: 'silent' });
    const server = createRpcServer({
      api,
      version: 'v1',
      logger,
      host: '127.0.0.1',
      port: 0,
      bodyLimitBytes: MIB,
    });
    servers.push(server);
    const { port } = await server.start();
    const ask = async (): Promise<[number, string | null, unknown]> => {
      const { status, contentType, body } = await sendHttp(port, {
        method: 'GET',
        path: '/readyz',
        headers: {},
        body: null,
      });
      return [status, contentType, JSON.parse(body)];
    };
    expect(await ask()).toEqual([200, 'application/json', { ready: true }]);
    const members = api.servers;
    api.leaderWithId = () => ({ id: '', addr: '', suffrage: 0 });
    expect(await ask()).toEqual([
      503,
      'application/json',
      { ready: false, reason: 'the node knows no leader' },
    ]);
    api.servers = null;
    expect((await ask())[2]).toMatchObject({ reason: 'the node belongs to no cluster yet' });
    api.servers = members;
    api.stopped = () => true;
    expect((await ask())[2]).toMatchObject({ reason: 'the conductor is stopped' });
  });
});

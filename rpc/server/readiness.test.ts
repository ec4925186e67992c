import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { MIB } from '../../common/bytes.js';
import type { ClusterVerdict } from './cluster-verdict.js';
import type { HttpServer } from './json-rpc/http-server.js';
import { createRpcServer } from './rpc-server.js';
import { FakeConductor } from './testing/fake-conductor.js';
import { sendHttp } from './testing/send-http.js';

let api: FakeConductor;
let server: HttpServer;
let port: number;

beforeEach(async () => {
  api = new FakeConductor(false);
  const logger = pino({ level: 'silent' });
  server = createRpcServer({ api, version: 'v1', logger, host: '127.0.0.1', port: 0, bodyLimitBytes: MIB });
  ({ port } = await server.start());
});
afterEach(() => server.stop(100));

const ask = async (path: string, method = 'GET'): Promise<[number, string | null, unknown]> => {
  const { status, contentType, body } = await sendHttp(port, { method, path, headers: {}, body: null });
  return [status, contentType, body === '' ? '' : JSON.parse(body)];
};

describe.each(['/readyz', '/readyz/'])('GET %s', (path) => {
  it('says whether the node could take over, and why not', async () => {
    expect(await ask(path)).toEqual([200, 'application/json', { ready: true }]);
    api.whyNotReady = async () => 'the node knows no leader';
    const answer = { ready: false, reason: 'the node knows no leader' };
    expect(await ask(path)).toEqual([503, 'application/json', answer]);
  });
});

describe.each(['/clusterz', '/clusterz/'])('GET %s', (path) => {
  it.each<[ClusterVerdict['level'], number]>([
    ['ok', 200],
    ['degraded', 200],
    ['critical', 503],
  ])('has the verdict on the cluster: %s is %i', async (level, code) => {
    const verdict = {
      ...{ schemaVersion: 1, level, problems: [], leader: 'a' },
      ...{ voters: 3, votersKeepingUp: 3, failureTolerance: 1 },
    };
    api.clusterVerdict = async () => verdict;
    expect(await ask(path)).toEqual([code, 'application/json', verdict]);
  });
});

describe.each(['/leader', '/leader/'])('GET %s', (path) => {
  it('says whether the active sequencer is here, and why not', async () => {
    const answer = { leader: false, reason: 'another one leads' };
    expect(await ask(path)).toEqual([503, 'application/json', answer]);
    api.overrideLeader(true);
    expect(await ask(path)).toEqual([200, 'application/json', { leader: true }]);
    expect((await ask(path, 'HEAD'))[0]).toBe(200);
  });
});

import http from 'node:http';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { MIB } from '../../common/bytes.js';
import { decodeEnvelope } from '../payload/decode-envelope.js';
import type { HttpServer } from './json-rpc/http-server.js';
import { createRpcServer } from './rpc-server.js';
import { FakeConductor } from './testing/fake-conductor.js';
import { LARGE_BODIES_FROM_SOURCES } from './testing/large-bodies.js';
import { sampleEnvelope } from './testing/sample-envelope.js';

const rpcBody = (envelope: unknown): string =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'conductor_commitUnsafePayload', params: [envelope] });
const largeEnvelope = sampleEnvelope({ transactions: [`0x${'ab'.repeat(3 * MIB)}`] });

/** The ways in which a block comes. */
const WAYS: [string, string, string, string | Buffer][] = [
  ['JSON', '/', 'application/json', rpcBody(sampleEnvelope())],
  ['a batch', '/', 'application/json', `[${rpcBody(sampleEnvelope())}]`],
  ['a large body', '/', 'application/json', rpcBody(largeEnvelope)],
  ['SSZ', '/commit-unsafe-payload', 'application/octet-stream', decodeEnvelope(sampleEnvelope()).ssz],
];

describe.each(WAYS)('a commit by %s', (_way, path, contentType, body) => {
  const conductor = new FakeConductor(true);
  let server: HttpServer;
  let port = 0;
  /** The signal of the commit under way, and what ends that commit. */
  let under: Promise<{ gone: AbortSignal; finish: () => void }>;

  beforeEach(async () => {
    under = new Promise((begun) => {
      conductor.onCommit = ({ gone }) =>
        new Promise((finish) => begun({ gone: gone as AbortSignal, finish: () => finish() }));
    });
    server = createRpcServer({
      largeBodies: LARGE_BODIES_FROM_SOURCES,
      api: conductor,
      version: 'v1',
      logger: pino({ level: 'silent' }),
      host: '127.0.0.1',
      port: 0,
      bodyLimitBytes: 32 * MIB,
    });
    port = (await server.start()).port;
  });

  afterEach(() => server.stop(100));

  const send = (): http.ClientRequest => {
    const headers = { 'content-type': contentType, 'content-length': Buffer.byteLength(body) };
    const request = http.request({ host: '127.0.0.1', port, path, method: 'POST', headers });
    request.on('error', () => undefined).end(body);
    return request;
  };

  it('is told when the proposer has left without an answer', async () => {
    const request = send();
    const { gone, finish } = await under;
    expect(gone.aborted).toBe(false);
    request.destroy();
    await once(gone, 'abort');
    finish();
  });

  it('is told nothing while the proposer waits', async () => {
    const request = send();
    const answered = once(request, 'response') as Promise<[http.IncomingMessage]>;
    const { gone, finish } = await under;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(gone.aborted).toBe(false);
    finish();
    const [response] = await answered;
    expect(response.resume().statusCode).toBe(200);
  });
});

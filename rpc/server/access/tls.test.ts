import https from 'node:https';
import { connect, type TLSSocket } from 'node:tls';
import { once } from 'node:events';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { MIB } from '../../../common/bytes.js';
import { TestAuthority } from '../../../raft/transport/testing/certificates.js';
import { createRpcServer, type RpcServer } from '../rpc-server.js';
import { FakeConductor } from '../testing/fake-conductor.js';
import { LARGE_BODIES_FROM_SOURCES } from '../testing/large-bodies.js';
import type { Refusal } from './refusal.js';
import { parseTokenFile, tokenLine } from './token-file.js';

/** A server that proves its identity, and clients that may show a certificate. */
let servers: TestAuthority;
let clients: TestAuthority;
let hostCertificate: { cert: string; key: string };

beforeAll(async () => {
  [servers, clients] = await Promise.all([TestAuthority.make(), TestAuthority.make()]);
  hostCertificate = await servers.issue({ dnsNames: ['localhost'] });
});

const started: RpcServer[] = [];
const agents: https.Agent[] = [];
const sockets: TLSSocket[] = [];
afterEach(async () => {
  for (const agent of agents.splice(0)) agent.destroy();
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(started.splice(0).map((server) => server.stop(0)));
});

const HOLDERS = [
  tokenLine('alice', ['operate'], 'token-of-alice'),
  'grafana read cert:grafana.example',
  'batcher operate cert:spiffe://example/batcher',
].join('\n');

type Shown = Pick<https.AgentOptions, 'cert' | 'key'> & { token?: string };

async function start(): Promise<{
  server: RpcServer;
  port: number;
  refusals: Refusal[];
  api: FakeConductor;
}> {
  const refusals: Refusal[] = [];
  const api = new FakeConductor(true);
  const holders = parseTokenFile(HOLDERS);
  const server = createRpcServer({
    largeBodies: LARGE_BODIES_FROM_SOURCES,
    api,
    version: 'v0',
    logger: pino({ level: 'silent' }),
    host: '127.0.0.1',
    port: 0,
    bodyLimitBytes: 32 * MIB,
    access: { holders: () => holders, anonymousRoles: [], onRefusal: (refusal) => refusals.push(refusal) },
    tls: { asksForCertificate: true },
  });
  started.push(server);
  server.useTls(material(hostCertificate));
  const { port } = await server.start();
  return { server, port, refusals, api };
}

const material = ({ cert, key }: { cert: string; key: string }): Parameters<RpcServer['useTls']>[0] => ({
  cert: Buffer.from(cert),
  key: Buffer.from(key),
  clientCa: Buffer.from(clients.pem),
});

interface Answer {
  status: number | undefined;
  body: string;
  /** Serial number of the certificate that the server showed. */
  serial: string;
}

/** Connections are kept, one for each agent. */
function agentWith({ cert, key }: Shown = {}, ca = servers.pem): https.Agent {
  const agent = new https.Agent({ ca, cert, key, keepAlive: true, maxSockets: 1, maxCachedSessions: 0 });
  agents.push(agent);
  return agent;
}

function call(port: number, method: string, agent: https.Agent, token?: string): Promise<Answer> {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return new Promise((resolve, reject) => {
    const sent = https.request(
      {
        ...{ host: 'localhost', port, agent, method: 'POST', path: '/' },
        headers: { 'content-type': 'application/json', ...authorization },
      },
      (response) => {
        const { serialNumber: serial } = (response.socket as TLSSocket).getPeerCertificate();
        let body = '';
        response
          .setEncoding('utf8')
          .on('data', (text: string) => (body += text))
          .on('end', () => resolve({ status: response.statusCode, body, serial }))
          .on('error', reject);
      },
    );
    sent.on('error', reject).end(JSON.stringify({ jsonrpc: '2.0', id: 1, method }));
  });
}

describe('the RPC port with TLS', () => {
  it('shows its certificate, and takes tokens', async () => {
    const { port, api } = await start();

    expect(await call(port, 'conductor_pause', agentWith(), 'token-of-alice')).toMatchObject({ status: 200 });
    expect(api.paused()).toBe(true);
    await expect(call(port, 'conductor_pause', agentWith({}, clients.pem), 'token-of-alice')).rejects.toThrow(
      /certificate/,
    );
  });

  it('refuses versions older than TLS 1.2', async () => {
    const { port } = await start();
    const versionWith = async (maxVersion: 'TLSv1.3' | 'TLSv1.2' | 'TLSv1.1'): Promise<unknown> => {
      // Our own side would also refuse the old one.
      const ciphers = 'DEFAULT@SECLEVEL=0';
      const socket = connect({
        ...{ port, host: 'localhost', ca: servers.pem, minVersion: 'TLSv1.1', maxVersion, ciphers },
      });
      sockets.push(socket);
      return once(socket, 'secureConnect').then(
        () => socket.getProtocol(),
        ({ code }: NodeJS.ErrnoException) => code,
      );
    };

    expect(await versionWith('TLSv1.3')).toBe('TLSv1.3');
    expect(await versionWith('TLSv1.2')).toBe('TLSv1.2');
    expect(await versionWith('TLSv1.1')).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
  });

  it('gives a client certificate the role of the holder that it names', async () => {
    const { port, api } = await start();
    const grafana = agentWith(await clients.issue({ dnsNames: ['grafana.example'] }));
    const batcher = agentWith(await clients.issue({ uris: ['spiffe://example/batcher'] }));

    expect((await call(port, 'conductor_paused', grafana)).body).toContain('"result":false');
    expect((await call(port, 'conductor_pause', grafana)).body).toContain(
      'conductor_pause takes the role operate; \\"grafana\\" has the role read',
    );
    expect(api.paused()).toBe(false);
    expect((await call(port, 'conductor_pause', batcher)).body).toContain('"result":null');
    expect(api.paused()).toBe(true);
  });

  it.each([
    ['that the file does not name', () => clients.issue({ dnsNames: ['prometheus.example'] })],
    ['of another authority, whatever it names', () => servers.issue({ dnsNames: ['grafana.example'] })],
    ['that has expired', () => clients.issue({ dnsNames: ['grafana.example'], fromDays: -3, untilDays: -1 })],
  ])('gives none to a certificate %s', async (_, issue) => {
    const { port, refusals } = await start();
    const agent = agentWith(await issue());

    expect(await call(port, 'conductor_paused', agent)).toMatchObject({ status: 401 });
    expect(refusals).toMatchObject([{ cause: 'no-credential', holder: undefined }]);
    // A caller with a token needs none.
    expect(await call(port, 'conductor_paused', agent, 'token-of-alice')).toMatchObject({ status: 200 });
  });

  it('does not fall back to the certificate when the token is wrong', async () => {
    const { port } = await start();
    const grafana = agentWith(await clients.issue({ dnsNames: ['grafana.example'] }));

    expect(await call(port, 'conductor_paused', grafana, 'guessed')).toMatchObject({ status: 401 });
  });

  it('shows a renewed certificate to new connections, and keeps open ones', async () => {
    const { server, port } = await start();
    const open = agentWith();
    const before = await call(port, 'conductor_paused', open, 'token-of-alice');

    server.useTls(material(await servers.issue({ dnsNames: ['localhost'] })));

    const same = await call(port, 'conductor_paused', open, 'token-of-alice');
    const after = await call(port, 'conductor_paused', agentWith(), 'token-of-alice');
    expect(same).toMatchObject({ status: 200, serial: before.serial });
    expect(after.status).toBe(200);
    expect(after.serial).not.toBe(before.serial);
  });

  it('keeps its certificate when the next one cannot be used', async () => {
    const { server, port } = await start();
    const { cert } = await servers.issue({ dnsNames: ['localhost'] });

    expect(() => server.useTls(material({ cert, key: hostCertificate.key }))).toThrow();

    expect(await call(port, 'conductor_paused', agentWith(), 'token-of-alice')).toMatchObject({
      status: 200,
    });
  });
});

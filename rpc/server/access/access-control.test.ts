import { mkdtemp, rm, stat } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { MIB } from '../../../common/bytes.js';
import { createRpcServer, type RpcServer } from '../rpc-server.js';
import { FakeConductor } from '../testing/fake-conductor.js';
import { LARGE_BODIES_FROM_SOURCES } from '../testing/large-bodies.js';
import { sampleEnvelope } from '../testing/sample-envelope.js';
import { sendHttp, type HttpAnswer } from '../testing/send-http.js';
import type { Refusal } from './refusal.js';
import type { Role } from './roles.js';
import { parseTokenFile, tokenLine } from './token-file.js';

const started: RpcServer[] = [];
const folders: string[] = [];

afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.stop(0)));
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
});

/** A token for each role, of that name. */
const FILE = (['read', 'sequencer', 'operate', 'emergency'] as const)
  .map((role) => tokenLine(`${role}-holder`, [role], role))
  .join('\n');

async function start(
  options: {
    file?: () => string | undefined;
    anonymousRoles?: readonly Role[];
    local?: Parameters<typeof createRpcServer>[0]['local'];
  } = {},
): Promise<{ port: number; localPort: number | undefined; refusals: Refusal[]; api: FakeConductor }> {
  const { file = () => FILE, anonymousRoles = [], local } = options;
  const refusals: Refusal[] = [];
  const api = new FakeConductor(true);
  const server = createRpcServer({
    largeBodies: LARGE_BODIES_FROM_SOURCES,
    api,
    version: 'v0',
    logger: pino({ level: 'silent' }),
    host: '127.0.0.1',
    port: 0,
    bodyLimitBytes: 32 * MIB,
    access: {
      holders: () => {
        const text = file();
        return text === undefined ? undefined : parseTokenFile(text);
      },
      anonymousRoles,
      onRefusal: (refusal) => refusals.push(refusal),
    },
    local,
  });
  started.push(server);
  return { ...(await server.start()), refusals, api };
}

function call(
  port: number,
  method: string,
  { token, params = [] }: { token?: string; params?: unknown[] } = {},
): Promise<HttpAnswer & { headers: http.IncomingHttpHeaders }> {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return sendHttp(port, {
    method: 'POST',
    path: '/',
    headers: { 'content-type': 'application/json', ...authorization },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
}

const get = (port: number, path: string, headers = {}): Promise<HttpAnswer> =>
  sendHttp(port, { method: 'GET', path, headers, body: null });

describe('a port with a file of holders', () => {
  it('refuses a caller without a credential, and says what is needed', async () => {
    const { port, refusals, api } = await start();

    const answer = await call(port, 'conductor_pause');

    expect(answer).toMatchObject({ status: 401, body: expect.stringContaining('a credential is needed') });
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="baton"');
    expect(api.paused()).toBe(false);
    expect(refusals).toEqual([
      { cause: 'no-credential', address: '127.0.0.1', holder: undefined, what: '/', isOneOfMany: false },
    ]);
  });

  it('refuses an unknown token, and never repeats it', async () => {
    const { port, refusals } = await start();

    const answer = await call(port, 'conductor_leader', { token: 'guessed' });

    expect(answer).toMatchObject({ status: 401, body: expect.stringContaining('not valid') });
    expect(JSON.stringify([answer, refusals])).not.toContain('guessed');
    expect(refusals).toMatchObject([{ cause: 'unknown-credential' }]);
  });

  it('lets each holder do what the role allows, and names the missing role', async () => {
    const { port, refusals, api } = await start();

    expect((await call(port, 'conductor_paused', { token: 'read' })).body).toContain('"result":false');
    const refused = await call(port, 'conductor_pause', { token: 'read' });
    expect(JSON.parse(refused.body)).toMatchObject({
      error: {
        code: -32000,
        message: 'conductor_pause takes the role operate; "read-holder" has the role read',
        data: { code: 'role-missing', needs: ['operate'], holder: 'read-holder' },
      },
    });
    expect(api.paused()).toBe(false);
    expect(refusals).toMatchObject([
      { cause: 'role-missing', holder: 'read-holder', what: 'conductor_pause' },
    ]);
    expect((await call(port, 'conductor_pause', { token: 'operate' })).body).toContain('"result":null');
    expect(api.paused()).toBe(true);
  });

  it('judges each call of a batch by itself', async () => {
    const { port, api } = await start();
    const batch = ['conductor_leader', 'conductor_pause', 'conductor_paused'].map((method, id) => ({
      ...{ jsonrpc: '2.0', id, method },
    }));

    const { body } = await sendHttp(port, {
      method: 'POST',
      path: '/',
      headers: { 'content-type': 'application/json', authorization: 'Bearer read' },
      body: JSON.stringify(batch),
    });

    expect(JSON.parse(body)).toMatchObject([
      { result: true },
      { error: { data: { code: 'role-missing' } } },
      { result: false },
    ]);
    expect(api.paused()).toBe(false);
  });

  it('also takes a token as the password of a URL', async () => {
    const { port } = await start();
    const authorization = `Basic ${Buffer.from('whoever:read').toString('base64')}`;

    const { status } = await sendHttp(port, {
      method: 'POST',
      path: '/',
      headers: { 'content-type': 'application/json', authorization },
      body: '{"jsonrpc":"2.0","id":1,"method":"conductor_leader"}',
    });

    expect(status).toBe(200);
  });

  it('takes commits, in both forms, only from a holder of the role sequencer', async () => {
    const { port, api } = await start();
    const params = [sampleEnvelope()];

    expect(
      (await call(port, 'conductor_commitUnsafePayload', { token: 'emergency', params })).body,
    ).toContain('takes the role sequencer');
    const binary = (token: string): Promise<HttpAnswer> =>
      sendHttp(port, {
        method: 'POST',
        path: '/commit-unsafe-payload',
        headers: { authorization: `Bearer ${token}` },
        body: 'no payload',
      });
    expect(await binary('operate')).toMatchObject({ status: 403 });
    expect(await binary('sequencer')).toMatchObject({ status: 400 });
    expect(api.committed).toHaveLength(0);
    await call(port, 'conductor_commitUnsafePayload', { token: 'sequencer', params });
    expect(api.committed).toHaveLength(1);
  });

  it('does not read a large body of a caller that may not commit', async () => {
    const { port } = await start();
    const answer = await sendHttp(port, {
      method: 'POST',
      path: '/',
      headers: { 'content-type': 'application/json', authorization: 'Bearer operate' },
      body: Buffer.alloc(5 * MIB, ' '),
    });
    expect(answer).toMatchObject({ status: 403, body: expect.stringContaining('takes the role sequencer') });
  });

  it('answers probes and balancers, but describes the cluster only to callers with the role read', async () => {
    const { port } = await start();
    const statusOf = async (path: string, headers = {}): Promise<number> =>
      (await get(port, path, headers)).status;

    expect(await statusOf('/healthz')).toBe(200);
    expect(await statusOf('/leader')).not.toBe(401);
    expect(await statusOf('/readyz')).not.toBe(401);
    expect(await statusOf('/clusterz')).toBe(401);
    expect(await statusOf('/clusterz', { authorization: 'Bearer sequencer' })).toBe(403);
    expect(await statusOf('/clusterz', { authorization: 'Bearer read' })).not.toBe(403);
  });

  it('uses the current content of the file', async () => {
    let file: string | undefined = FILE;
    const { port } = await start({ file: () => file });
    expect((await call(port, 'conductor_leader', { token: 'read' })).status).toBe(200);

    file = tokenLine('read-holder', ['read'], 'another');

    expect((await call(port, 'conductor_leader', { token: 'read' })).status).toBe(401);
    expect((await call(port, 'conductor_leader', { token: 'another' })).status).toBe(200);
  });

  it('may let callers without a credential read', async () => {
    const { port } = await start({ anonymousRoles: ['read'] });

    expect((await call(port, 'conductor_leader')).body).toContain('"result":true');
    expect((await call(port, 'conductor_pause')).body).toContain('takes the role operate');
    expect((await call(port, 'conductor_leader', { token: 'guessed' })).status).toBe(401);
  });

  it('answers 429 to an address that keeps trying, and still serves a valid token from there', async () => {
    const { port, refusals } = await start();
    const statuses: number[] = [];
    for (let n = 0; n < 22; n++) {
      statuses.push((await call(port, 'conductor_leader', { token: `guess ${n}` })).status);
    }

    expect(statuses.slice(0, 20)).toEqual(Array(20).fill(401));
    expect(statuses.slice(20)).toEqual([429, 429]);
    expect(refusals.filter(({ isOneOfMany }) => isOneOfMany)).toHaveLength(2);
    expect((await call(port, 'conductor_leader', { token: 'read' })).status).toBe(200);
  });
});

describe('a local port', () => {
  it('serves the sequencer without a credential, and the other port no longer takes commits', async () => {
    const { port, localPort, api } = await start({ local: { host: '127.0.0.1', port: 0 } });
    const params = [sampleEnvelope()];

    const refused = await call(port, 'conductor_commitUnsafePayload', { token: 'sequencer', params });
    expect(refused.body).toContain('is served on --rpc.local-addr only');
    expect((await call(localPort!, 'conductor_pause')).body).toContain('takes the role operate');
    expect((await call(localPort!, 'conductor_leader')).body).toContain('"result":true');
    await call(localPort!, 'conductor_commitUnsafePayload', { params });
    expect(api.committed).toHaveLength(1);
  });

  it('also takes the commits from a port that needs no credential', async () => {
    const { port, api } = await start({ file: () => undefined, local: { host: '127.0.0.1', port: 0 } });
    const params = [sampleEnvelope()];

    expect((await call(port, 'conductor_commitUnsafePayload', { params })).body).toContain(
      '--rpc.local-addr',
    );
    expect((await call(port, 'conductor_overrideLeader', { params: [true] })).body).toContain(
      '"result":null',
    );
    expect(api.committed).toHaveLength(0);
  });

  it('may be a Unix socket of this user, even where a process left one behind', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'baton-socket-'));
    folders.push(folder);
    const socketPath = path.join(folder, 'rpc.sock');
    const left = http.createServer();
    await new Promise<void>((resolve) => left.listen(socketPath, resolve));
    // Closing would remove the file, which a killed process does not do.
    const { rename } = await import('node:fs/promises');
    await rename(socketPath, `${socketPath}.kept`);
    await new Promise((resolve) => left.close(resolve));
    await rename(`${socketPath}.kept`, socketPath);

    await start({ local: { socketPath } });

    expect((await stat(socketPath)).mode & 0o777).toBe(0o600);
    const body = await new Promise<string>((resolve, reject) => {
      const request = http.request(
        { socketPath, method: 'POST', path: '/', headers: { 'content-type': 'application/json' } },
        (response) => response.setEncoding('utf8').on('data', resolve).on('error', reject),
      );
      request.on('error', reject).end('{"jsonrpc":"2.0","id":1,"method":"conductor_active"}');
    });
    expect(body).toContain('"result":true');
    await expect(start({ local: { socketPath } })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});

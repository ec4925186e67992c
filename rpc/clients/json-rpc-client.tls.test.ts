import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { TestAuthority } from '../../raft/transport/testing/certificates.js';
import { ClientError } from './client-error.js';
import { JsonRpcClient, type JsonRpcClientOptions } from './json-rpc-client.js';

const DEADLINE_MS = 10_000;

let authority: TestAuthority;
beforeAll(async () => {
  authority = await TestAuthority.make();
});

const closers: (() => Promise<unknown>)[] = [];
afterEach(() => Promise.all(closers.splice(0).map((close) => close())));

/** Credentials that a server received. */
interface Shown {
  authorization: string | undefined;
  certificate: string | undefined;
}

async function serve(tls: https.ServerOptions | undefined): Promise<{ port: number; shown: Shown[] }> {
  const shown: Shown[] = [];
  const answer: http.RequestListener = (request, response) => {
    const certificate = (request.socket as TLSSocket).getPeerCertificate?.().subject?.CN;
    shown.push({
      authorization: request.headers.authorization,
      certificate: certificate as string | undefined,
    });
    response.end('{"jsonrpc":"2.0","id":1,"result":true}');
  };
  const server = tls ? https.createServer(tls, answer) : http.createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return { port: (server.address() as AddressInfo).port, shown };
}

function call(options: JsonRpcClientOptions): Promise<boolean> {
  const client = new JsonRpcClient({ timeoutMs: DEADLINE_MS, ...options });
  closers.push(() => client.close());
  return client.call({ method: 'conductor_leader', result: z.boolean() });
}

async function failure(options: JsonRpcClientOptions): Promise<ClientError> {
  const error = await call(options).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(ClientError);
  return error as ClientError;
}

describe('a client of an https server', () => {
  it('trusts the given authority, for the host that it dials', async () => {
    const { port } = await serve(await authority.issue({ dnsNames: ['localhost'] }));
    const tls = { ca: Buffer.from(authority.pem) };

    expect(await call({ url: `https://localhost:${port}`, tls })).toBe(true);
    expect(await failure({ url: `https://127.0.0.1:${port}`, tls })).toMatchObject({
      failure: { code: 'unreachable', tls: 'other-name' },
      message: `conductor_leader at https://127.0.0.1:${port}: its certificate is for other names: DNS:localhost`,
    });
  });

  it('trusts nobody else', async () => {
    const other = await TestAuthority.make();
    const { port } = await serve(await other.issue({ dnsNames: ['localhost'] }));
    const url = `https://localhost:${port}`;

    for (const tls of [undefined, { ca: Buffer.from(authority.pem) }]) {
      expect(await failure({ url, ...(tls && { tls }) })).toMatchObject({
        failure: { tls: 'untrusted' },
        message: expect.stringContaining('its certificate is not from an authority that is trusted here'),
      });
    }
  });

  it('does not accept an expired certificate', async () => {
    const choice = { dnsNames: ['localhost'], fromDays: -3, untilDays: -1 };
    const { port } = await serve(await authority.issue(choice));
    const tls = { ca: Buffer.from(authority.pem) };

    expect(await failure({ url: `https://localhost:${port}`, tls })).toMatchObject({
      failure: { tls: 'expired' },
    });
  });

  it('shows its own certificate and its token', async () => {
    const own = await authority.issue({});
    const server = await authority.issue({ dnsNames: ['localhost'] });
    const { port, shown } = await serve({ ...server, requestCert: true });
    const tls = { ca: Buffer.from(own.ca), cert: Buffer.from(own.cert), key: Buffer.from(own.key) };

    await call({ url: `https://localhost:${port}`, tls, token: 'baton_token' });

    expect(shown).toEqual([{ authorization: 'Bearer baton_token', certificate: 'test member' }]);
  });

  it('says in plain words that the port speaks plain HTTP', async () => {
    const { port } = await serve(undefined);
    expect(await failure({ url: `https://localhost:${port}` })).toMatchObject({
      failure: { tls: 'plain-port' },
      message: `conductor_leader at https://localhost:${port}: it speaks plain HTTP, not TLS`,
    });
  });
});

describe('a token', () => {
  it('gives way to credentials in the URL', async () => {
    const { port, shown } = await serve(undefined);
    await call({ url: `http://a:b@127.0.0.1:${port}`, token: 'baton_token' });
    await call({ url: `http://127.0.0.1:${port}`, token: 'baton_token' });
    expect(shown.map(({ authorization }) => authorization)).toEqual(['Basic YTpi', 'Bearer baton_token']);
  });

  it('does not appear in errors', async () => {
    const { port } = await serve(undefined);
    const error = await failure({ url: `https://localhost:${port}`, token: 'baton_planted' });
    expect(JSON.stringify([error, error.message, error.stack, String(error.cause)])).not.toContain('planted');
  });
});

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { connect, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import { NameLookup } from '../../common/name-lookup.js';
import { ClientError } from './client-error.js';
import { startFakeRpcServer, type FakeRpcServer } from './testing/fake-rpc-server.js';
import { JsonRpcClient } from './json-rpc-client.js';

const ping = { method: 'test_ping', result: z.literal('pong') } as const;
const read = { ...ping, idempotent: true } as const;

async function failure(call: Promise<unknown>): Promise<ClientError> {
  const error = await call.then(
    () => {
      throw new Error('the call succeeded');
    },
    (reason: unknown) => reason,
  );
  if (!(error instanceof ClientError)) throw error;
  return error;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await nextTurn();
}

let server: FakeRpcServer;
let client: JsonRpcClient;

beforeEach(async () => {
  server = await startFakeRpcServer(() => ({ result: 'pong' }));
  client = new JsonRpcClient({ url: server.url });
});
afterEach(async () => {
  await client.close();
  await server.close();
});

describe('JsonRpcClient', () => {
  it('keeps its connections and leaves none after close', async () => {
    for (let i = 0; i < 20; i++) expect(await client.call(ping)).toBe('pong');
    // undici may open a second one while the first is still being released.
    expect(await server.openConnections()).toBeLessThanOrEqual(2);
    await client.close();
    await until(async () => (await server.openConnections()) === 0);
  });

  it('sends parameters, raw parameter text and basic authentication', async () => {
    const url = new URL(server.url);
    url.username = 'op';
    url.password = 'p%40ss';
    const authenticated = new JsonRpcClient({ url: url.href });
    try {
      await authenticated.call({ ...ping, params: ['0x1', false] });
      await authenticated.call({ ...ping, paramsText: '[{"a":  1.50}]' });
    } finally {
      await authenticated.close();
    }
    expect(server.requests[0]).toMatchObject({ method: 'test_ping', params: ['0x1', false] });
    expect(server.requests[1]!.body).toContain('"params":[{"a":  1.50}]}');
    expect(Buffer.from(server.requests[0]!.authorization!.slice('Basic '.length), 'base64').toString()).toBe(
      'op:p@ss',
    );
  });

  it('ends a call to a server that accepts and never answers', async () => {
    server.answer = () => 'hang';
    const started = performance.now();
    const error = await failure(client.call(ping, { timeoutMs: 60 }));
    expect(error.failure).toEqual({ code: 'timeout', timeoutMs: 60 });
    expect(performance.now() - started).toBeGreaterThanOrEqual(59);
    await until(async () => (await server.openConnections()) === 0);
  });

  it('uses the deadline of the constructor when the call has none', async () => {
    server.answer = () => 'hang';
    const impatient = new JsonRpcClient({ url: server.url, timeoutMs: 40 });
    expect((await failure(impatient.call(ping))).failure).toEqual({ code: 'timeout', timeoutMs: 40 });
    await impatient.close();
  });

  it('ends a call whose answer stops in the middle', async () => {
    server.answer = () => ({ stallAfter: '{"jsonrpc":' });
    expect((await failure(client.call(ping, { timeoutMs: 60 }))).code).toBe('timeout');
    await until(async () => (await server.openConnections()) === 0);
  });

  it('ends a call whose connection is never accepted', async () => {
    const deaf = await startDeafServer();
    const stuck = new JsonRpcClient({ url: deaf.url });
    try {
      const error = await failure(stuck.call(ping, { timeoutMs: 60 }));
      expect(error.code).toBe('timeout');
      expect(error.message).toContain('no connection within 60 ms: still connecting');
    } finally {
      await stuck.close();
      await deaf.stop();
    }
  });

  it('connects for as long as that takes, even when calls end; addresses need no name server', async () => {
    const lookups: string[] = [];
    let answer!: () => void;
    const names = new NameLookup((hostname) => {
      lookups.push(hostname);
      return new Promise((resolve) => (answer = () => resolve([{ address: '127.0.0.1', family: 4 }])));
    });
    const { lookup } = names;
    const named = new JsonRpcClient({ url: server.url.replace('127.0.0.1', 'op-node'), lookup });
    const literal = new JsonRpcClient({ url: server.url, lookup });
    try {
      for (let attempt = 0; attempt < 5; attempt++) {
        const { failure: reason, message } = await failure(named.call(ping, { timeoutMs: 30 }));
        expect(reason).toEqual({ code: 'timeout', timeoutMs: 30 });
        expect(message).toContain('no connection within 30 ms: still looking up the name');
      }
      expect(await literal.call(ping)).toBe('pong');
      expect(lookups).toEqual(['op-node']);
      const waiting = named.call(ping);
      answer();
      expect(await waiting).toBe('pong');
      // Abandoned calls were never sent.
      expect(server.requests).toHaveLength(2);
    } finally {
      await named.close();
      await literal.close();
    }
  });

  it('takes an answer that waited in the socket while this process stalled', async () => {
    const worker = await startAnsweringWorker();
    const stalled = new JsonRpcClient({ url: worker.url });
    try {
      const call = stalled.call(ping, { timeoutMs: 400 });
      await until(async () => worker.requestsSeen() === 1);
      const stalledUntil = performance.now() + 800;
      while (performance.now() < stalledUntil);
      expect(await call).toBe('pong');
    } finally {
      await stalled.close();
      await worker.stop();
    }
  });

  it('reports a refused connection as unreachable, naming the server', async () => {
    await server.close();
    const error = await failure(client.call(read));
    expect(error.code).toBe('unreachable');
    expect(error.message).toContain(`test_ping at ${server.url}: connect ECONNREFUSED`);
  });

  it('fails at once without a URL, and says why there is none', async () => {
    const absent = new JsonRpcClient({ url: null, absence: 'there is no node here' });
    const failures = [absent.call(read), absent.callForText(ping)].map(failure);
    for (const error of await Promise.all(failures)) {
      expect(error.failure).toEqual({ code: 'unreachable' });
      expect(error.message).toBe('test_ping at no address: there is no node here');
    }
    await absent.close();
  });

  it('sends a password without a user name', async () => {
    const keyed = new JsonRpcClient({ url: server.url.replace('//', '//:hunter2@') });
    await keyed.call(ping).finally(() => keyed.close());
    expect(server.requests[0]!.authorization).toBe(`Basic ${Buffer.from(':hunter2').toString('base64')}`);
  });

  it('keeps passwords and paths out of messages', async () => {
    expect(() => new JsonRpcClient({ url: server.url.replace('//', '//user:hunter2%zz@') })).toThrow(
      'write % as %25',
    );
    await server.close();
    const secret = new JsonRpcClient({ url: server.url.replace('//', '//user:hunter2@') + '/key123' });
    const error = await failure(secret.call(ping));
    expect(error.message).not.toMatch(/hunter2|user|key123/);
    await secret.close();
  });

  it.each([
    ['HTML', '<html>busy</html>'],
    ['an empty body', ''],
    ['JSON that is no object', '[]'],
    ['no version', '{"id":1,"result":"pong"}'],
    ['another id', '{"jsonrpc":"2.0","id":77,"result":"pong"}'],
    ['neither result nor error', '{"jsonrpc":"2.0","id":1}'],
    ['another result', '{"jsonrpc":"2.0","id":1,"result":"ping"}'],
    ['an error that is text', '{"jsonrpc":"2.0","id":1,"error":"no"}'],
  ])('refuses %s as a bad answer and shows it', async (_name, raw) => {
    server.answer = () => ({ raw });
    const error = await failure(client.call(ping));
    expect(error.failure).toEqual({ code: 'bad-answer', answer: raw });
    expect(error.message).toContain(raw);
  });

  it('reports an HTTP status with the beginning of the body', async () => {
    server.answer = () => ({ raw: `no upstream ${'x'.repeat(1000)}`, status: 502 });
    const error = await failure(client.call(ping));
    expect(error.failure).toMatchObject({ code: 'http-status', status: 502 });
    expect(error.message).toContain('HTTP status 502: no upstream xxx');
    expect(error.message.length).toBeLessThan(300);
  });

  it('passes on code, message and data of a JSON-RPC error, even one without an id', async () => {
    server.answer = () => ({ error: { code: -32000, message: 'no', data: { why: 1 } } });
    expect((await failure(client.call(ping))).failure).toEqual({
      code: 'rpc-error',
      rpcCode: -32000,
      rpcMessage: 'no',
      data: { why: 1 },
    });
    server.answer = () => ({
      raw: '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"parse error"}}',
    });
    expect((await failure(client.call(ping))).failure).toEqual({
      code: 'rpc-error',
      rpcCode: -32700,
      rpcMessage: 'parse error',
    });
  });

  it('aborts with the signal of the caller, before and during a call', async () => {
    server.answer = () => 'hang';
    const controller = new AbortController();
    const call = failure(client.call(ping, { signal: controller.signal }));
    await until(async () => server.requests.length === 1);
    controller.abort();
    expect((await call).code).toBe('aborted');
    await until(async () => (await server.openConnections()) === 0);

    expect((await failure(client.call(ping, { signal: controller.signal }))).code).toBe('aborted');
    expect(server.requests).toHaveLength(1);
  });

  it('sends a read again, once, when the connection is reset', async () => {
    await client.call(read);
    server.answer = () => (server.requests.length === 2 ? 'reset' : { result: 'pong' });
    expect(await client.call(read)).toBe('pong');
    expect(server.requests).toHaveLength(3);

    server.answer = () => 'reset';
    expect((await failure(client.call(read))).code).toBe('unreachable');
    expect(server.requests).toHaveLength(5);
  });

  it('never sends anything else twice', async () => {
    await client.call(ping);
    server.answer = () => 'reset';
    expect((await failure(client.call(ping))).code).toBe('unreachable');
    expect(server.requests).toHaveLength(2);
  });

  it('connects again after the server restarted', async () => {
    await client.call(ping);
    await server.close();
    expect((await failure(client.call(ping))).code).toBe('unreachable');
    server = await startFakeRpcServer(() => ({ result: 'pong' }), Number(new URL(server.url).port));
    expect(await client.call(ping)).toBe('pong');
  });

  it('does not queue a call behind a hung one', async () => {
    server.answer = ({ params }) => (params[0] === 'hang' ? 'hang' : { result: 'pong' });
    const hanging = failure(client.call({ ...ping, params: ['hang'] }));
    await until(async () => server.requests.length === 1);
    expect(await client.call(ping)).toBe('pong');
    await client.close();
    expect((await hanging).code).toBe('unreachable');
  });
});

/** A listening socket whose queue is full and whose process never accepts: new connections stay unanswered. */
async function startDeafServer(): Promise<{ url: string; stop: () => Promise<void> }> {
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads');
     const server = require('node:net').createServer();
     server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
       parentPort.postMessage(server.address().port);
       setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
     });`,
    { eval: true },
  );
  const port = await new Promise<number>((resolve) => worker.once('message', resolve));
  const fillers: Socket[] = [];
  let refused = false;
  while (!refused) {
    const filler = connect(port, '127.0.0.1');
    fillers.push(filler);
    refused = await new Promise<boolean>((resolve) => {
      filler.once('connect', () => resolve(false));
      setTimeout(() => resolve(true), 200);
    });
  }
  return {
    url: `http://127.0.0.1:${port}`,
    stop: async () => {
      for (const filler of fillers) filler.destroy();
      await worker.terminate();
    },
  };
}

/** A server in its own thread, which answers 50 ms after each request, even while the test's thread is busy. */
async function startAnsweringWorker(): Promise<{
  url: string;
  requestsSeen: () => number;
  stop: () => Promise<void>;
}> {
  const seen = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(
    `const { parentPort, workerData: seen } = require('node:worker_threads');
     const server = require('node:http').createServer(async (req, res) => {
       let body = '';
       for await (const chunk of req) body += chunk;
       Atomics.add(seen, 0, 1);
       const answer = JSON.stringify({ jsonrpc: '2.0', id: JSON.parse(body).id, result: 'pong' });
       setTimeout(() => res.end(answer), 50);
     });
     server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`,
    { eval: true, workerData: seen },
  );
  const port = await new Promise<number>((resolve) => worker.once('message', resolve));
  return {
    url: `http://127.0.0.1:${port}`,
    requestsSeen: () => Atomics.load(seen, 0),
    stop: async () => {
      await worker.terminate();
    },
  };
}

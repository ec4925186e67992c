import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { pino } from 'pino';
import { Client } from 'undici';
import { MIB } from '../../common/bytes.js';
import { conductorMethods } from '../../rpc/server/conductor-methods.js';
import type { HttpServer } from '../../rpc/server/json-rpc/http-server.js';
import { createRpcServer } from '../../rpc/server/rpc-server.js';
import { withBuiltinMethods } from '../../rpc/server/json-rpc/builtin-methods.js';
import { Dispatcher } from '../../rpc/server/json-rpc/dispatcher.js';
import { FakeConductor } from '../../rpc/server/testing/fake-conductor.js';
import { hostileBodies } from './hostile-bodies.js';

const BODY_CASES = 10_000;
const HTTP_CASES = 1000;

const api = new FakeConductor(false);
/** Errors that a method or the server did not expect, and answered with "crashed" or 500. */
const errors: string[] = [];
const logger = pino({ level: 'error' }, { write: (line: string) => errors.push(line) });

/** The fake has no cluster to report. */
const NOT_FAKED = new Set(['conductor_status', 'conductor_clusterStatus']);
const METHODS = [
  ...[...conductorMethods(api).keys()].filter((name) => !NOT_FAKED.has(name)),
  'rpc_modules',
  'health_status',
  'x_subscribe',
  '',
  '__proto__',
];
const body = hostileBodies(METHODS);

const CODES = new Set([-32700, -32600, -32601, -32602, -32003, -32000]);

/** Any request gets a JSON-RPC answer; an empty one gets none. */
function expectAnswer(answer: string): void {
  if (answer === '') return;
  const parsed = JSON.parse(answer) as unknown;
  for (const message of Array.isArray(parsed) ? parsed : [parsed]) {
    const { jsonrpc, result, error } = message as {
      jsonrpc: string;
      result: unknown;
      error?: { code: number };
    };
    expect(jsonrpc).toBe('2.0');
    if (error) expect(CODES).toContain(error.code);
    else expect(result).toBeDefined();
  }
}

const textOf = (parts: Buffer[]): string => Buffer.concat(parts).toString();

function createDispatcher(): Dispatcher {
  return new Dispatcher({ methods: withBuiltinMethods(conductorMethods(api), 'v1'), logger });
}

describe('hostile JSON-RPC', () => {
  it(`gets JSON-RPC answers, and no handler crashes: ${BODY_CASES} bodies`, async () => {
    const dispatcher = createDispatcher();
    await fc.assert(
      fc.asyncProperty(body, async (bytes) => expectAnswer(textOf(await dispatcher.handle(bytes)))),
      { numRuns: BODY_CASES },
    );
    expect(errors).toEqual([]);
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(api.committed).toEqual([]);
  });

  /**
   * Bodies of 32 MiB that are meant to stop the event loop. The test counts CPU time, which does not depend on other
   * work of the machine, and compares with a body of that size that must be accepted: one long string.
   */
  describe('of 32 MiB costs little more than a good body of that size', () => {
    const fill = (piece: string, head = '', tail = ''): Buffer => {
      const rest = 32 * MIB - head.length - tail.length;
      return Buffer.concat([Buffer.from(head), Buffer.alloc(rest, piece), Buffer.from(tail)]);
    };
    const cases: Record<string, () => Buffer> = {
      'open brackets': () => fill('['),
      'one number': () => fill('7'),
      'one number in a call': () => fill('7', '{"jsonrpc":"2.0","id":1,"method":"x","params":[', ']}'),
      blanks: () => fill(' '),
      'blanks in a call': () => fill(' ', '{"jsonrpc":"2.0",', '"id":1,"method":"x"}'),
      escapes: () => fill('\\n', '{"id":1,"method":"', '"}'),
      'escaped letters': () => fill('\\u0041', '["', '"]'),
      'two-byte letters': () => fill('ü', '["', '"]'),
      'invalid UTF-8': () => fill('\ufffd', '["', '"]'),
      numbers: () => fill('1,', '[', '1]'),
      'empty strings': () => fill('""', '['),
      'empty objects': () => fill('{},', '[', '{}]'),
      members: () => fill('"a":1,', '{', '"b":1}'),
      'different members': () => {
        const members = Array.from({ length: 2_000_000 }, (_, at) => `"k${at}":1`);
        return Buffer.from(`{${members.join(',')}}`);
      },
      'small calls': () => fill('{"jsonrpc":"2.0","id":1,"method":"x"},', '[', '{}]'),
      'an id': () => fill('a', '{"jsonrpc":"2.0","id":"', '","method":"x"}'),
      'an id of digits': () => fill('7', '{"jsonrpc":"2.0","method":"x","id":', '}'),
      'a method': () => fill('<', '{"jsonrpc":"2.0","id":1,"method":"', '"}'),
      'a million empty transactions': () =>
        Buffer.from(
          `{"jsonrpc":"2.0","id":1,"method":"conductor_commitUnsafePayload","params":[{"executionPayload":` +
            `{"extraData":"0x","transactions":["0x"${',"0x"'.repeat(1_000_000)}]}}]}`,
        ),
    };

    /** CPU time of one answer, in ms. */
    const cpuMs = async (bytes: Buffer): Promise<number> => {
      const before = process.cpuUsage();
      expectAnswer(textOf(await createDispatcher().handle(bytes)));
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1000;
    };

    it('in every shape', async () => {
      const good = fill('a', '{"jsonrpc":"2.0","id":1,"method":"x","params":["', '"]}');
      const allowedMs = 3 * (await cpuMs(good));
      const tooCostly: [string, number][] = [];
      for (const [name, make] of Object.entries(cases)) {
        const bytes = make();
        let ms = Infinity;
        // The garbage collector chooses its own moments, so one of three tries must be good.
        for (let round = 0; round < 3 && ms > allowedMs; round++) ms = Math.min(ms, await cpuMs(bytes));
        if (ms > allowedMs) tooCostly.push([name, ms]);
      }
      expect(tooCostly).toEqual([]);
    });
  });

  it('cannot request more than the limit in one batch', async () => {
    let calls = 0;
    const large = new Dispatcher({
      methods: new Map([['big', { params: [], call: () => (calls++, 'x'.repeat(MIB)) }]]),
      logger,
    });
    const batch = Array.from({ length: 1000 }, () => '{"jsonrpc":"2.0","id":1,"method":"big"}');
    const answer = textOf(await large.handle(Buffer.from(`[${batch.join(',')}]`)));
    expect(answer.length).toBeLessThan(34 * MIB);
    expect(calls).toBeLessThan(34);
    expect(answer).toContain('"code":-32003,"message":"response too large"');
  });
});

describe('hostile HTTP', () => {
  let server: HttpServer;
  let port: number;

  beforeAll(async () => {
    server = createRpcServer({
      api,
      version: 'v1',
      logger,
      host: '127.0.0.1',
      port: 0,
      bodyLimitBytes: 32 * MIB,
    });
    ({ port } = await server.start());
  });
  afterAll(() => server.stop(100));

  it(`gets HTTP answers, and leaves the connection usable: ${HTTP_CASES} requests`, async () => {
    const client = new Client(`http://127.0.0.1:${port}`);
    const token = fc.stringMatching(/^[!#-+.0-9A-Z^-z|~-]{1,20}$/);
    const hostile = fc.record({
      method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'HEAD'),
      path: fc.oneof(
        fc.constantFrom('/', '//', '/?a', '/healthz', '/commit-unsafe-payload', '/..', '/%00', '/ws'),
        fc.webPath().map((path) => `/${path}`),
      ),
      type: fc.constantFrom(
        'application/json',
        'application/json;charset=utf-16',
        'application/octet-stream',
        'x',
      ),
      encoding: fc.constantFrom(undefined, 'gzip', 'br', 'deflate'),
      extra: fc.option(fc.tuple(token, fc.stringMatching(/^[ -~]{0,50}$/)), { nil: undefined }),
      body,
    });
    await fc.assert(
      fc.asyncProperty(hostile, async ({ method, path, type, encoding, extra, body: bytes }) => {
        const answer = await client
          .request({
            method: method,
            path,
            headers: {
              'content-type': type,
              ...(encoding && { 'content-encoding': encoding }),
              ...(extra && { [`x-${extra[0]}`]: extra[1] }),
            },
            ...(method === 'GET' || method === 'HEAD' ? {} : { body: bytes }),
          })
          .catch((error: Error & { code?: string }) => error);
        // undici refuses some of these by itself.
        if (answer instanceof Error) return expect(answer.code).toMatch(/^UND_ERR_INVALID_ARG|^ERR_/);
        expect([200, 204, 301, 307, 400, 404, 405, 413, 415, 500]).toContain(answer.statusCode);
        await answer.body.dump();
      }),
      { numRuns: HTTP_CASES },
    );
    await client.close();
    expect(errors).toEqual([]);
  });
});

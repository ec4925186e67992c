import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { pino } from 'pino';
import { MIB } from '../../../common/bytes.js';
import type { HttpServer } from '../json-rpc/http-server.js';
import { createRpcServer } from '../rpc-server.js';
import { LARGE_BODY_BYTES } from '../json-rpc/dispatcher.js';
import { decodeEnvelope } from '../../payload/decode-envelope.js';
import { FakeConductor } from '../testing/fake-conductor.js';
import { LARGE_BODIES_FROM_SOURCES } from '../testing/large-bodies.js';
import { sampleEnvelope } from '../testing/sample-envelope.js';
import { sendRpc, type HttpAnswer } from '../testing/send-http.js';
import { LargeBodyReader, type LargeBodyReaderOptions } from './large-body-reader.js';

const logger = pino({ level: 'silent' });
const NEVER = new AbortController().signal;

const largeEnvelope = sampleEnvelope({ transactions: [`0x${'ab'.repeat(LARGE_BODY_BYTES / 2)}`] });

function call(method: string, params: unknown, id: unknown = 7): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method, params });
}

describe('RPC server', () => {
  const servers: HttpServer[] = [];
  afterEach(async () => {
    jest.restoreAllMocks();
    await Promise.all(servers.splice(0).map((server) => server.stop(100)));
  });

  async function start(): Promise<{ api: FakeConductor; send: (body: string) => Promise<HttpAnswer> }> {
    const api = new FakeConductor(true);
    const options = {
      api,
      version: 'v1',
      logger,
      host: '127.0.0.1',
      port: 0,
      bodyLimitBytes: 32 * MIB,
      largeBodies: LARGE_BODIES_FROM_SOURCES,
    };
    const server = createRpcServer(options);
    servers.push(server);
    const { port } = await server.start();
    return { api, send: (body) => sendRpc(port, body) };
  }

  it('commits a large payload without parsing it on the thread of the event loop', async () => {
    const { api, send } = await start();
    const body = call('conductor_commitUnsafePayload', [largeEnvelope]);
    const parse = jest.spyOn(JSON, 'parse');
    const answer = await send(body);
    const parsedChars = parse.mock.calls.map(([text]) => text.length);
    expect(answer).toMatchObject({ status: 200, body: '{"jsonrpc":"2.0","id":7,"result":null}\n' });
    expect(Math.max(0, ...parsedChars)).toBeLessThan(LARGE_BODY_BYTES);
    expect(api.committed.map(({ ref }) => ref)).toEqual([decodeEnvelope(largeEnvelope).ref]);
    expect(api.committed[0]?.ssz.equals(decodeEnvelope(largeEnvelope).ssz)).toBe(true);
  });

  it('answers other large bodies like small ones, or refuses them', async () => {
    const { api, send } = await start();
    const padding = ' '.repeat(LARGE_BODY_BYTES);
    const bodies: [body: string, answer: string][] = [
      [
        call('conductor_commitUnsafePayload', [{ ...largeEnvelope, parentBeaconBlockRoot: undefined }]),
        '{"code":-32000,"message":"failed to marshal payload envelope: execution payload envelope is missing data"}',
      ],
      [
        call('conductor_commitUnsafePayload', [largeEnvelope, 1]),
        '{"code":-32602,"message":"too many arguments, want at most 1"}',
      ],
      [call('conductor_leader', [padding]), '{"code":-32602,"message":"too many arguments, want at most 0"}'],
      [
        call('no_method', [padding]),
        '{"code":-32601,"message":"the method no_method does not exist/is not available"}',
      ],
      [call('conductor_leader', {}) + padding, '{"code":-32602,"message":"non-array args"}'],
      [
        call('conductor_overrideLeader', [padding]),
        '{"code":-32600,"message":"invalid request: the body is too large for this method"}',
      ],
      [
        call('conductor_commitUnsafePayload', [sampleEnvelope()], {}) + padding,
        '{"code":-32600,"message":"invalid request"}',
      ],
    ];
    for (const [body, error] of bodies) {
      expect((await send(body)).body).toBe(
        `{"jsonrpc":"2.0","id":${body.includes('"id":7') ? 7 : null},"error":${error}}\n`,
      );
    }
    expect((await send(`[${call('conductor_leader', [])}]${padding}`)).body).toContain(
      'too large for a batch',
    );
    expect((await send(call('x', [padding]).slice(0, -1))).body).toContain('parse error');
    expect(api.committed).toEqual([]);
    expect((await send(call('conductor_leader', []) + padding)).body).toContain('"result":true');
    // A notification, and a small payload between blanks.
    const notification = call('conductor_commitUnsafePayload', [sampleEnvelope()]).replace('"id":7,', '');
    expect((await send(notification + padding)).body).toBe('');
    expect(api.committed).toEqual([decodeEnvelope(sampleEnvelope())]);
  });
});

describe('LargeBodyReader', () => {
  const readers: LargeBodyReader[] = [];
  afterEach(() => Promise.all(readers.splice(0).map((reader) => reader.close())));

  /** @param onMessage JavaScript that gets `text`, and `answer(string)` */
  function reader(onMessage: string, options: Partial<LargeBodyReaderOptions> = {}): LargeBodyReader {
    const source =
      'import { parentPort, threadId } from "node:worker_threads";' +
      'const answer = (text) => parentPort.postMessage(text);' +
      `parentPort.on("message", (body) => { const text = Buffer.from(body).toString(); ${onMessage} });`;
    const script = new URL(`data:text/javascript,${encodeURIComponent(source)}`);
    const created = new LargeBodyReader({ logger, script, timeoutMs: 60_000, ...options });
    readers.push(created);
    return created;
  }
  /** A buffer of its own, like that of a large body. */
  const bodyOf = (text: string): Buffer => Buffer.from(new Uint8Array(Buffer.from(text)).buffer);

  it.each([
    ['dies', 'process.exit(1)', 'the decoder ended'],
    ['fails', 'throw new Error("out of memory")', 'out of memory'],
  ])('answers when the thread %s, and starts another', async (_what, end, message) => {
    const bodies = reader(`if (text === "bad") ${end}; answer(text);`);
    const [bad, good] = [bodies.read(bodyOf('bad'), NEVER), bodies.read(bodyOf('good'), NEVER)];
    await expect(bad).rejects.toMatchObject({
      reason: 'decoder-failed',
      message: `the body could not be decoded: ${message}`,
    });
    expect(await good).toBe('good');
  });

  it('gives up on a body that takes too long, and does not mistake its late answer for that of the next', async () => {
    const bodies = reader('if (text === "slow") setTimeout(answer, 300, "late"); else answer(text);', {
      timeoutMs: 200,
    });
    await expect(bodies.read(bodyOf('slow'), NEVER)).rejects.toMatchObject({ reason: 'decoder-failed' });
    const patient = await bodies.read(bodyOf('next'), NEVER).catch((error: Error) => error.message);
    expect(['next', 'the body could not be decoded: no answer within 200 ms']).toContain(patient);
  });

  it('reads one body after the other, and skips those whose clients are gone', async () => {
    const bodies = reader(
      'globalThis.seen = (globalThis.seen ?? "") + text; setTimeout(answer, 20, globalThis.seen);',
    );
    const leaving = new AbortController();
    const first = bodies.read(bodyOf('1'), NEVER);
    const second = bodies.read(bodyOf('2'), leaving.signal);
    const third = bodies.read(bodyOf('3'), NEVER);
    leaving.abort();
    await expect(second).rejects.toMatchObject({ reason: 'aborted' });
    await expect(bodies.read(bodyOf('4'), leaving.signal)).rejects.toMatchObject({ reason: 'aborted' });
    expect(await Promise.all([first, third])).toEqual(['1', '13']);
  });

  it('ends the thread when there is nothing to do', async () => {
    const bodies = reader('answer(String(threadId))', { idleMs: 1 });
    const first = await bodies.read(bodyOf('x'), NEVER);
    let later = first;
    while (later === first) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      later = await bodies.read(bodyOf('x'), NEVER);
    }
    expect(later).not.toBe(first);
  });
});
